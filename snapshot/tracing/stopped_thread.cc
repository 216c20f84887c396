// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/stopped_thread.h"

#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::snapshot {

void throw_gone(int tid) {
  throw Error("thread " + std::to_string(tid) + " died while it was ours to run");
}

int await_stop(int tid) {
  int status = 0;
  while (::waitpid(tid, &status, __WALL) < 0) {
    if (errno != EINTR) throw_gone(tid);
  }
  if (!WIFSTOPPED(status)) throw_gone(tid);
  return status;
}

user_regs_struct registers_of(int tid) {
  const auto registers = ptrace_call::registers(tid);
  if (!registers) throw_gone(tid);
  return *registers;
}

void set_registers(int tid, const user_regs_struct& registers) {
  if (!ptrace_call::set_registers(tid, registers)) throw_gone(tid);
}

std::string xstate_of(int tid) {
  auto xstate = ptrace_call::xstate(tid);
  if (!xstate) throw_gone(tid);
  return *std::move(xstate);
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "replay/record/traced_thread.h"

#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

void throw_gone(int tid) {
  throw Error("thread " + std::to_string(tid) + " died while it was being recorded or replayed");
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

user_regs_struct as_seen(user_regs_struct registers) {
  // include/linux/errno.h: ERESTARTSYS to ERESTART_RESTARTBLOCK.
  const auto result = static_cast<std::int64_t>(registers.rax);
  const bool cut_short = static_cast<std::int64_t>(registers.orig_rax) >= 0 && result <= -512 &&
                         result >= -516 && result != -515;
  if (cut_short) {
    registers.rip -= 2;
    registers.rax = registers.orig_rax;
  }
  registers.orig_rax = ~0ULL;
  return registers;
}

bool equal_registers(const user_regs_struct& one, const user_regs_struct& other) {
  user_regs_struct first = one;
  user_regs_struct second = other;
  for (auto* registers : {&first, &second}) {
    constexpr unsigned long long kTrapFlag = 0x100;
    constexpr unsigned long long kResumeFlag = 0x10000;
    registers->orig_rax = 0;
    registers->eflags &= ~(kTrapFlag | kResumeFlag);
  }
  return std::memcmp(&first, &second, sizeof first) == 0;
}

}  // namespace icecore::replay

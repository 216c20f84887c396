// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/recorded_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "replay/record/memory_map.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay::test {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::await_stop;
using snapshot::registers_of;
using snapshot::set_registers;

namespace {

/// Runs a child of the program, which is traced from birth, to its own devices.
void let_go_child(int parent) {
  const auto child = ptrace_call::event_message(parent);
  if (!child) return;
  await_stop(static_cast<int>(*child));
  ptrace_call::detach(static_cast<int>(*child), 0);
}

}  // namespace

RecordedRun::RecordedRun(const std::vector<std::string>& arguments) {
  snapshot::move_to_cpu(::sched_getcpu());
  // Lazy binding leaves vector registers on the stack: BindingPatch.
  ::unsetenv("LD_BIND_NOW");
  sigset_t none;
  ::sigemptyset(&none);
  snapshot::LaunchedProgram program(arguments, none);
  pid_ = program.pid();
  ptrace_call::seize(pid_, ptrace_call::puppet_options() | PTRACE_O_TRACEEXEC);
  program.let_go();
  while (await_stop(pid_) >> 16 != PTRACE_EVENT_EXEC) ptrace_call::resume(pid_, 0);
  // The exec itself has not come back yet.
  ptrace_call::resume_to_syscall(pid_, 0);
  await_stop(pid_);
  recorder_ = std::make_unique<EventRecorder>(pid_, log_);
}

RecordedRun::~RecordedRun() {
  if (exit_status_ >= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
}

std::unique_ptr<ProcessCopy> RecordedRun::copy() const {
  return copy_process(pid_, recorder_->syscall_instruction());
}

bool RecordedRun::take_stop(int status) {
  if (status >> 8 == (SIGTRAP | 0x80)) {
    const bool entry = ptrace_call::syscall_side(pid_) == ptrace_call::SyscallSide::Entry;
    if (entry) {
      recorder_->call_entered();
    } else {
      recorder_->call_returned();
    }
    if (auto gap = recorder_->take_gap()) gap_ = *gap;
    return !entry && !recorder_->inside_call();
  }
  if (status >> 16 != 0) {
    if (status >> 16 != PTRACE_EVENT_STOP) let_go_child(pid_);
    return false;
  }
  const int signal = WSTOPSIG(status);
  if (signal == SIGSEGV && recorder_->timestamp_read(pid_)) return true;
  if (recorder_->deliver(signal)) return true;
  signal_ = signal;
  return false;
}

bool RecordedRun::advance() {
  for (;;) {
    ptrace_call::resume_to_syscall(pid_, std::exchange(signal_, 0));
    int status = 0;
    if (::waitpid(pid_, &status, __WALL) < 0) throw_errno("waitpid");
    if (!WIFSTOPPED(status)) {
      exit_status_ = status;
      return false;
    }
    if (take_stop(status)) return true;
  }
}

bool RecordedRun::run_to(std::uint64_t address) {
  const TracedMemory memory(pid_);
  std::byte original{};
  memory.read(address, std::span(&original, 1));
  const std::byte trap{0xcc};
  memory.write(address, std::span(&trap, 1));
  for (;;) {
    ptrace_call::resume_to_syscall(pid_, std::exchange(signal_, 0));
    int status = 0;
    if (::waitpid(pid_, &status, __WALL) < 0) throw_errno("waitpid");
    if (!WIFSTOPPED(status)) {
      exit_status_ = status;
      return false;
    }
    user_regs_struct registers = registers_of(pid_);
    if (status >> 8 == SIGTRAP && registers.rip == address + 1) {
      registers.rip = address;
      registers.orig_rax = ~0ULL;
      set_registers(pid_, registers);
      memory.write(address, std::span(&original, 1));
      return true;
    }
    take_stop(status);
  }
}

std::uint64_t address_of(int pid, const std::string& symbol) {
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  std::array<char, 4096> target{};
  if (::readlink(exe.c_str(), target.data(), target.size() - 1) < 0) throw_errno("readlink");
  const std::string command = "nm '" + std::string(target.data()) + "'";
  FILE* names = ::popen(command.c_str(), "r");
  std::array<char, 512> line{};
  std::uint64_t value = 0;
  while (std::fgets(line.data(), line.size(), names) != nullptr) {
    std::array<char, 400> name{};
    unsigned long long place = 0;
    char type = 0;
    if (std::sscanf(line.data(), "%llx %c %399s", &place, &type, name.data()) == 3 &&
        symbol == name.data()) {
      value = place;
    }
  }
  ::pclose(names);
  for (const auto& mapping : mappings_of(pid)) {
    if (mapping.name == target.data()) return mapping.start + value;
  }
  throw Error("no mapping of " + std::string(target.data()));
}

}  // namespace icecore::replay::test

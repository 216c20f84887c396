// SPDX-License-Identifier: Apache-2.0
#include "replay/record/process_copy.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "replay/record/seen_registers.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::await_stop;
using snapshot::finish_call;
using snapshot::inject_call;
using snapshot::InjectedResult;
using snapshot::registers_of;
using snapshot::set_call;
using snapshot::set_registers;
using snapshot::SignalsHeld;
using snapshot::throw_gone;

TracedMemory::TracedMemory(int pid) : pid_(pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  file_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file_.valid()) throw_errno("open " + path);
}

std::size_t TracedMemory::read_some(std::uint64_t address, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(file_.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(address + done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void TracedMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  if (read_some(address, out) != out.size()) {
    throw_errno("reading memory of process " + std::to_string(pid_));
  }
}

void TracedMemory::write(std::uint64_t address, std::span<const std::byte> bytes) const {
  const ssize_t done =
      ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(address));
  if (done != static_cast<ssize_t>(bytes.size())) {
    throw_errno("writing memory of process " + std::to_string(pid_));
  }
}

void TracedMemory::write(std::uint64_t address, const std::string& bytes) const {
  write(address, std::as_bytes(std::span(bytes)));
}

ProcessCopy::~ProcessCopy() {
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

namespace {

/// proc(5) numbers the fields of /proc/PID/stat; 0 when the process is gone.
long stat_field(int pid, int number) {
  const std::string text = snapshot::task_file(pid, pid, "stat");
  // The name in parentheses, field 2, may hold anything.
  std::size_t at = text.rfind(')');
  for (int field = 2; field < number && at != std::string::npos; ++field) {
    at = text.find(' ', at + 1);
  }
  return at == std::string::npos ? 0 : std::atol(text.c_str() + at);
}
constexpr int kParent = 4;
constexpr int kExitSignal = 38;

/// As the process numbers itself; 0 when it is gone.
std::uint64_t own_number(int pid) {
  const std::string status = snapshot::task_file(pid, pid, "status");
  const std::size_t line = status.find("\nNSpid:");
  if (line == std::string::npos) return 0;
  // That of its own namespace is the last.
  const std::size_t number = status.find_last_of("\t ", status.find('\n', line + 1));
  return std::strtoull(&status[number], nullptr, 10);
}

/// Memory is not shared. Where the program is our child, so is its copy, and a program that waits
/// for its children never sees it. The parent of another would be told that a child of its has been
/// killed: there it is the program's, with no signal at its end, found by __WALL alone; and a copy
/// of a copy is the program's, too. The first process of a namespace has no parent to give a child
/// to.
std::uint64_t copy_flags(int pid) {
  if (own_number(pid) == 1) return 0;
  const bool ours = stat_field(pid, kParent) == ::getpid();
  return ours || stat_field(pid, kExitSignal) == 0 ? CLONE_PARENT : 0;
}

std::unique_ptr<ProcessCopy> adopt(int original, const InjectedResult& made,
                                   user_regs_struct registers) {
  if (made.result < 0) {
    throw_errno("copying process " + std::to_string(original), static_cast<int>(-made.result));
  }
  await_stop(made.born);
  ptrace_call::set_options(made.born, ptrace_call::puppet_options());
  auto copy = std::make_unique<ProcessCopy>(made.born);
  registers.orig_rax = ~0ULL;
  set_registers(made.born, registers);
  ptrace_call::set_signal_mask(made.born, ~0ULL);
  return copy;
}

}  // namespace

std::unique_ptr<ProcessCopy> copy_process(int pid, std::uint64_t instruction) {
  const std::uint64_t flags = copy_flags(pid);
  const InjectedResult made = inject_call(pid, instruction, SYS_clone, {flags, 0, 0, 0, 0, 0});
  auto copy = adopt(pid, made, as_seen(registers_of(pid)));
  if (flags == 0) bury_copies(pid, instruction);
  return copy;
}

std::unique_ptr<ProcessCopy> copy_process_at_entry(int pid) {
  const SignalsHeld held(pid);
  user_regs_struct in_front = registers_of(pid);
  in_front.rip -= 2;
  in_front.rax = in_front.orig_rax;
  in_front.orig_rax = ~0ULL;
  user_regs_struct registers = registers_of(pid);
  set_call(registers, 0, {copy_flags(pid), 0, 0, 0, 0, 0});
  registers.orig_rax = SYS_clone;
  set_registers(pid, registers);
  const InjectedResult made = finish_call(pid);
  // Back to the program's own call.
  set_registers(pid, in_front);
  if (!ptrace_call::resume_to_syscall(pid, 0)) throw_gone(pid);
  await_stop(pid);
  return adopt(pid, made, in_front);
}

void bury_copies(int pid, std::uint64_t instruction) {
  const int process = snapshot::thread_group(pid).value_or(pid);
  for (const int tid : snapshot::task_ids(process)) {
    for (const int child : snapshot::child_pids(process, tid)) {
      if (stat_field(child, kExitSignal) != 0) continue;
      const auto stat = snapshot::task_stat(child, child);
      if (!stat || stat->state != 'Z') continue;
      inject_call(pid, instruction, SYS_wait4, {own_number(child), 0, WNOHANG | __WALL, 0, 0, 0});
    }
  }
}

}  // namespace icecore::replay

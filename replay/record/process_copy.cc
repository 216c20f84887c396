// SPDX-License-Identifier: Apache-2.0
#include "replay/record/process_copy.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "replay/record/seen_registers.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

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

/// Memory is not shared, no signal tells of its end, and its parent is the original's: a program
/// that waits for its children never sees it. Where that cannot be (the first process of a
/// namespace has no parent to give a child to) it is a child that only __WALL would find.
constexpr std::array<std::uint64_t, 2> kCopyFlags{CLONE_PARENT, 0};

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
  InjectedResult made;
  for (const auto flags : kCopyFlags) {
    made = inject_call(pid, instruction, SYS_clone, {flags, 0, 0, 0, 0, 0});
    if (made.result != -EINVAL) break;
  }
  return adopt(pid, made, as_seen(registers_of(pid)));
}

std::unique_ptr<ProcessCopy> copy_process_at_entry(int pid) {
  const SignalsHeld held(pid);
  user_regs_struct in_front = registers_of(pid);
  in_front.rip -= 2;
  in_front.rax = in_front.orig_rax;
  in_front.orig_rax = ~0ULL;
  InjectedResult made;
  for (const auto flags : kCopyFlags) {
    user_regs_struct registers = registers_of(pid);
    set_call(registers, 0, {flags, 0, 0, 0, 0, 0});
    registers.orig_rax = SYS_clone;
    set_registers(pid, registers);
    made = finish_call(pid);
    // Back to the program's own call.
    set_registers(pid, in_front);
    if (!ptrace_call::resume_to_syscall(pid, 0)) throw_gone(pid);
    await_stop(pid);
    if (made.result != -EINVAL) break;
  }
  return adopt(pid, made, in_front);
}

}  // namespace icecore::replay

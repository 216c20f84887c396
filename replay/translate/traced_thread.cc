// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/traced_thread.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {
namespace {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::throw_gone;

constexpr std::size_t kX87InstructionOffset = 8;  // of the legacy area of an XSAVE image
constexpr std::size_t kXstateBvOffset = 512;

bool is_raised_by_instructions(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP;
}

int wait_for(int tid) {
  int status = 0;
  while (::waitpid(tid, &status, __WALL) < 0) {
    if (errno != EINTR) throw_errno("waiting for thread " + std::to_string(tid));
  }
  return status;
}

}  // namespace

void TracedThread::read() {
  const auto registers = ptrace_call::registers(tid_);
  if (!registers) throw_gone(tid_);
  registers_ = *registers;
  // Not the result of a system call that is to be begun again.
  registers_.orig_rax = ~0ULL;
}

void TracedThread::write() {
  if (!ptrace_call::set_registers(tid_, registers_)) throw_gone(tid_);
}

void TracedThread::unblock_traps() {
  constexpr std::uint64_t kTrap = 1ULL << (SIGTRAP - 1);
  const auto mask = ptrace_call::signal_mask(tid_);
  if (!mask || (*mask & kTrap) == 0) return;
  mask_ = mask;
  ptrace_call::set_signal_mask(tid_, *mask & ~kTrap);
}

void TracedThread::restore_mask() {
  if (mask_) ptrace_call::set_signal_mask(tid_, *mask_);
  mask_.reset();
}

ThreadStop TracedThread::resume() { return go(How::Run); }
ThreadStop TracedThread::single_step() { return go(How::Step); }

ThreadStop TracedThread::go(How how) {
  write();
  for (;;) {
    if (how == How::Run) {
      ptrace_call::resume(tid_, 0);
    } else {
      ptrace_call::single_step(tid_, 0);
    }
    const int status = wait_for(tid_);
    if (!WIFSTOPPED(status)) return {ThreadStop::Reason::Ended, status, {}};
    const bool event = status >> 16 != 0;
    if (event || !is_raised_by_instructions(WSTOPSIG(status))) continue;
    ThreadStop stop = describe(status);
    if (stop.siginfo.empty()) continue;
    read();
    return stop;
  }
}

/// Without siginfo when the signal was sent by somebody.
ThreadStop TracedThread::describe(int status) {
  auto bytes = ptrace_call::siginfo(tid_);
  if (!bytes) return {ThreadStop::Reason::Fault, status, {}};
  siginfo_t info{};
  std::memcpy(&info, bytes->data(), std::min(sizeof info, bytes->size()));
  if (info.si_code <= 0) return {ThreadStop::Reason::Fault, status, {}};
  ThreadStop stop{ThreadStop::Reason::Fault, status, std::move(*bytes)};
  if (info.si_signo != SIGTRAP) return stop;
  // arch/x86/kernel/traps.c: int3 has SI_KERNEL; the debug exception says what it is of.
  switch (info.si_code) {
    case SI_KERNEL:
      stop.reason = ThreadStop::Reason::Trap;
      break;
    case TRAP_HWBKPT:
      stop.reason = ThreadStop::Reason::Watch;
      break;
    default:
      stop.reason = ThreadStop::Reason::Step;
  }
  return stop;
}

std::uint64_t TracedThread::x87_instruction() const {
  const auto image = ptrace_call::xstate(tid_);
  if (!image || image->size() < kXstateBvOffset + 8 || ((*image)[kXstateBvOffset] & 1) == 0) {
    return 0;
  }
  std::uint64_t address = 0;
  std::memcpy(&address, image->data() + kX87InstructionOffset, sizeof address);
  return address;
}

void TracedThread::set_x87_instruction(std::uint64_t address) {
  auto image = ptrace_call::xstate(tid_);
  if (!image) return;
  std::memcpy(image->data() + kX87InstructionOffset, &address, sizeof address);
  ptrace_call::set_xstate(tid_, *image);
}

}  // namespace icecore::replay

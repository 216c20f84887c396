// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/injected_call.h"

#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stop_event.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::snapshot {
namespace {

bool is_birth(StopEventKind event) {
  return event == StopEventKind::Fork || event == StopEventKind::VFork ||
         event == StopEventKind::Clone;
}

}  // namespace

SignalsHeld::SignalsHeld(int tid) : tid_(tid), mask_(ptrace_call::signal_mask(tid).value_or(0)) {
  ptrace_call::set_signal_mask(tid, ~0ULL);
}

SignalsHeld::~SignalsHeld() { ptrace_call::set_signal_mask(tid_, mask_); }

void set_call(user_regs_struct& registers, std::int64_t number,
              const std::array<std::uint64_t, 6>& arguments) {
  registers.rax = static_cast<std::uint64_t>(number);
  registers.rdi = arguments[0];
  registers.rsi = arguments[1];
  registers.rdx = arguments[2];
  registers.r10 = arguments[3];
  registers.r8 = arguments[4];
  registers.r9 = arguments[5];
}

InjectedResult finish_call(int pid) {
  InjectedResult done;
  do {
    if (!ptrace_call::resume_to_syscall(pid, 0)) throw_gone(pid);
    const int status = await_stop(pid);
    // A birth is told to the parent before the call returns. Other events may come in between: a
    // group-stop's, or the interrupt of whoever asked this thread to stop.
    if (is_birth(stop_event_kind(status))) {
      done.born = static_cast<int>(ptrace_call::event_message(pid).value_or(0));
    }
  } while (ptrace_call::syscall_side(pid) != ptrace_call::SyscallSide::Exit);
  done.result = static_cast<std::int64_t>(registers_of(pid).rax);
  return done;
}

InjectedResult inject_call(int pid, std::uint64_t instruction, std::int64_t number,
                           const std::array<std::uint64_t, 6>& arguments) {
  const SignalsHeld held(pid);
  const user_regs_struct before = registers_of(pid);
  user_regs_struct registers = before;
  registers.orig_rax = ~0ULL;
  registers.rip = instruction;
  set_call(registers, number, arguments);
  set_registers(pid, registers);
  // A call that was stopped at its entry and is skipped comes to its exit first.
  do {
    if (!ptrace_call::resume_to_syscall(pid, 0)) throw_gone(pid);
    await_stop(pid);
  } while (ptrace_call::syscall_side(pid) != ptrace_call::SyscallSide::Entry);
  const InjectedResult done = finish_call(pid);
  // From a stop for a system call nothing is restarted; from this one it is, and no instruction of
  // the program runs in between.
  if (!ptrace_call::interrupt(pid) || !ptrace_call::resume(pid, 0)) throw_gone(pid);
  await_stop(pid);
  set_registers(pid, before);
  return done;
}

}  // namespace icecore::snapshot

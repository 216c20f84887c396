// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/registers.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

namespace icecore::snapshot {

namespace {

/// orig_rax is the number of the call that the thread is in, and -1 outside of any.
void fill_system_call(const TracedThread& traced, model::Thread& thread) {
  const user_regs_struct& registers = traced.registers;
  auto& call = *thread.mutable_system_call();
  call.set_inside(static_cast<long>(registers.orig_rax) >= 0 &&
                  is_interruption(static_cast<long>(registers.rax)));
  if (call.inside()) {
    call.set_number(static_cast<std::int64_t>(registers.orig_rax));
    for (const auto argument :
         {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9}) {
      call.add_arguments(argument);
    }
  }
  if (traced.limited) {
    // In restart_syscall by the registers; the program knows only the call that it made.
    call.set_number(traced.limited->number);
    refresh_slept_time(traced, thread);
  }
  if (thread.state() != "T") thread.set_state(call.inside() ? "S" : "R");
}

}  // namespace

void refresh_slept_time(const TracedThread& traced, model::Thread& thread) {
  if (!traced.limited || !traced.limited->since_ns) return;
  thread.mutable_system_call()->set_slept_ns(monotonic_ns() - *traced.limited->since_ns);
}

void capture_private_pending(const TracedThread& traced, model::Thread& thread) {
  thread.clear_pending_signals();
  // An empty queue is the rule; /proc/PID/status, read already, says so for less than a ptrace
  // call.
  if (thread.pending_mask() == 0) return;
  for (auto& info : ptrace_call::pending(traced.tid, ptrace_call::Queue::Private)) {
    thread.add_pending_signals(std::move(info));
  }
}

bool capture_registers(TracedThread& traced, model::Thread& thread) {
  const int tid = traced.tid;
  fill_system_call(traced, thread);
  thread.set_registers(&traced.registers, sizeof traced.registers);
  auto xstate = ptrace_call::xstate(tid);
  const auto mask = ptrace_call::signal_mask(tid);
  if (!xstate || !mask) return false;
  traced.xstate = *xstate;
  traced.signal_mask = mask;
  thread.set_xstate(std::move(*xstate));
  thread.set_signal_mask(*mask);
  capture_private_pending(traced, thread);
  if (const auto rseq = ptrace_call::rseq(tid)) {
    thread.set_rseq_address(rseq->address);
    thread.set_rseq_length(rseq->length);
    thread.set_rseq_signature(rseq->signature);
  }
  void* head = nullptr;
  std::size_t length = 0;
  if (::syscall(SYS_get_robust_list, tid, &head, &length) == 0) {
    thread.set_robust_list(reinterpret_cast<std::uint64_t>(head));
    thread.set_robust_list_length(length);
  }
  if (traced.stop_signal != 0) {
    thread.set_stop_signal(traced.stop_signal);
    thread.set_stop_siginfo(traced.stop_siginfo);
  }
  return true;
}

void capture_shared_pending(const TracedThread& traced, model::Process& process) {
  for (auto& info : ptrace_call::pending(traced.tid, ptrace_call::Queue::Shared)) {
    process.add_pending_signals(std::move(info));
  }
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
// What the kernel reports of the threads under a debugger, and what it means.
#include <signal.h>
#include <sys/wait.h>

#include <cstring>

#include "replay/live/held_signal.h"
#include "replay/live/live_tree.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/signal_code.h"
#include "snapshot/tracing/stop_event.h"
#include "snapshot/tracing/syscall_restart.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

using gdbstub::ResumeAction;
using gdbstub::Signalled;
using gdbstub::SystemCallStop;

}  // namespace

void LiveTree::take_status(const ChildSignals::Status& reported) {
  const auto [tid, status] = reported;
  if (!WIFSTOPPED(status)) {
    remove_thread(tid, status);
    return;
  }
  LiveThread* thread = find_thread(tid);
  if (thread == nullptr) {
    early_[tid] = status;  // its birth is told by its parent's stop, which is still to come
    return;
  }
  thread->state = LiveThread::State::Stopped;
  thread->interrupted = false;
  thread->registers.reset();
  thread->xstate.reset();
  const After after = take_stop(*thread, status);
  thread = find_thread(tid);
  if (thread == nullptr || after == After::Hold || holding_) return;
  if (thread->wanted && thread->state == LiveThread::State::Stopped) run(*thread);
}

LiveTree::After LiveTree::take_stop(LiveThread& thread, int status) {
  const int signal = WSTOPSIG(status);
  using snapshot::StopEventKind;
  switch (snapshot::stop_event_kind(status)) {
    case StopEventKind::None:
      return signal == (SIGTRAP | 0x80) ? take_system_call(thread)
                                        : take_signal_stop(thread, signal);
    case StopEventKind::Stop:
      return take_event_stop(thread, signal);
    case StopEventKind::Fork:
      return take_fork(thread, gdbstub::Forked::Kind::Fork);
    case StopEventKind::VFork:
      return take_fork(thread, gdbstub::Forked::Kind::VFork);
    case StopEventKind::Clone:
      return take_clone(thread);
    case StopEventKind::Execution:
      return take_execution(thread);
    case StopEventKind::VForkDone:
      if (!wishes_.vforks) return After::Run;
      thread.unreported = gdbstub::VForkDone{};
      return After::Hold;
    case StopEventKind::Other:
      return After::Run;
  }
  return After::Run;
}

/// The answer to PTRACE_INTERRUPT, or a job-control stop.
LiveTree::After LiveTree::take_event_stop(LiveThread& thread, int signal) {
  if (signal != SIGTRAP) {
    thread.group_stop = signal;
  } else if (const auto now = ptrace_call::registers(thread.id.tid)) {
    thread.registers = now;
    // Some calls would answer EINTR although the program got no signal.
    if (snapshot::restart_if_cut_short(*thread.registers)) {
      ptrace_call::set_registers(thread.id.tid, *thread.registers);
    }
  }
  if (!thread.told_as) return After::Run;
  if (*thread.told_as == SIGINT) interrupt_owed_ = false;
  thread.unreported = Signalled{*thread.told_as};
  thread.told_as.reset();
  return After::Hold;
}

LiveTree::After LiveTree::take_signal_stop(LiveThread& thread, int signal) {
  thread.signal = signal;
  thread.in_signal_stop = true;
  if (signal == SIGTRAP) return take_trap(thread);
  if (signal == SIGSEGV && observer_ != nullptr && observer_->takes_fault(thread)) {
    thread.signal = 0;
    thread.registers.reset();
    return thread.stepped ? take_step(thread) : After::Run;
  }
  if (take_sent_signal(thread, signal)) return After::Run;
  const bool hidden = process(thread.id.pid).visibility == LiveProcess::Visibility::Hidden;
  const bool steps = thread.wanted && thread.wanted->kind != ResumeAction::Kind::Continue;
  if (hidden || (wishes_.passed_signals.contains(signal) && !steps)) return After::Run;
  thread.unreported = Signalled{signal};
  return After::Hold;
}

LiveTree::After LiveTree::take_trap(LiveThread& thread) {
  const int code = snapshot::signal_code(ptrace_call::siginfo(thread.id.tid));
  const LiveProcess& owner = process(thread.id.pid);
  if (code == SI_KERNEL) {
    const std::uint64_t address = registers(thread).rip - 1;
    if (owner.memory->has_trap(address)) return take_breakpoint(thread, address);
  }
  const bool by_processor = code > 0 && code != SI_KERNEL;
  if (by_processor && !owner.watches.empty()) {
    if (const auto after = take_watch(thread)) return *after;
  }
  if (by_processor && thread.stepped) return take_step(thread);
  if (code == TRAP_HWBKPT) {
    // Of a watchpoint that the client has removed while this signal waited behind our interrupt.
    thread.signal = 0;
    return After::Run;
  }
  thread.unreported = Signalled{SIGTRAP};  // the program's own int3, or a signal sent to it
  return After::Hold;
}

/// What the debug registers stopped; nullopt when it was none of them.
std::optional<LiveTree::After> LiveTree::take_watch(LiveThread& thread) {
  using gdbstub::Breakpoint;
  using gdbstub::HitBreakpoint;
  using gdbstub::HitWatchpoint;
  const std::uint64_t status = ptrace_call::debug_register(thread.id.tid, 6).value_or(0);
  const auto hit = process(thread.id.pid).watches.hit(status);
  ptrace_call::set_debug_register(thread.id.tid, 6, 0);
  if (!hit) return std::nullopt;
  thread.signal = 0;
  if (hit->kind == Breakpoint::Kind::Hardware) {
    // The kernel has set the resume flag: it goes on past the place by itself.
    const bool counts = !wishes_.stops_at || wishes_.stops_at(thread.id, *hit);
    if (!counts) return thread.stepped ? take_step(thread) : After::Run;
    thread.unreported = HitBreakpoint{HitBreakpoint::Kind::Hardware};
  } else {
    const bool write = hit->kind == Breakpoint::Kind::WriteWatch;
    thread.unreported = HitWatchpoint{
        write ? HitWatchpoint::Kind::Write : HitWatchpoint::Kind::Access, hit->address};
  }
  return After::Hold;
}

/// The program counter is set back to the breakpoint: clients must see it there.
LiveTree::After LiveTree::take_breakpoint(LiveThread& thread, std::uint64_t address) {
  user_regs_struct rewound = registers(thread);
  rewound.rip = address;
  set_registers(thread, rewound);
  thread.signal = 0;
  // While all are being stopped: it comes here again.
  if (holding_) return After::Hold;
  const bool hidden = process(thread.id.pid).visibility == LiveProcess::Visibility::Hidden;
  const gdbstub::Breakpoint breakpoint{gdbstub::Breakpoint::Kind::Software, thread.id.pid, address,
                                       1};
  if (hidden || (wishes_.stops_at && !wishes_.stops_at(thread.id, breakpoint))) {
    step_over(thread);
    return After::Hold;  // it has been let run by that
  }
  thread.unreported = gdbstub::HitBreakpoint{};
  return After::Hold;
}

LiveTree::After LiveTree::take_step(LiveThread& thread) {
  thread.signal = 0;
  if (!thread.wanted) return After::Hold;
  const ResumeAction& action = *thread.wanted;
  if (action.kind == ResumeAction::Kind::Continue) return After::Run;  // a step of ours
  if (action.kind == ResumeAction::Kind::StepRange) {
    const std::uint64_t pc = registers(thread).rip;
    if (pc >= action.range_start && pc < action.range_end) return After::Run;
  }
  if (process(thread.id.pid).ownership == LiveProcess::Ownership::Theirs) {
    leave_stepping(thread, SIGTRAP);
  } else {
    thread.unreported = Signalled{SIGTRAP};
  }
  return After::Hold;
}

/// The kernel keeps the trap flag until a thread is resumed otherwise, and would kill it by SIGTRAP
/// should we die meanwhile: on to a stop that is free of it, before the next instruction.
void LiveTree::leave_stepping(LiveThread& thread, int told_as) {
  const int tid = thread.id.tid;
  if (!ptrace_call::interrupt(tid) || !ptrace_call::resume(tid, 0)) return;
  thread.state = LiveThread::State::Running;
  thread.interrupted = true;
  thread.told_as = told_as;
}

LiveTree::After LiveTree::take_system_call(LiveThread& thread) {
  if (observer_ != nullptr) observer_->at_call(process(thread.id.pid), thread);
  const auto told = take_caught_call(thread);
  if (told == After::Hold || !thread.stepped || !thread.wanted) return told;
  // A step over a call ends where the call has come back.
  const bool entry = ptrace_call::syscall_side(thread.id.tid) == ptrace_call::SyscallSide::Entry;
  return entry ? After::Run : take_step(thread);
}

LiveTree::After LiveTree::take_caught_call(LiveThread& thread) {
  const auto caught = wishes_.system_calls.find(thread.id.pid);
  if (caught == wishes_.system_calls.end()) return After::Run;
  const auto number = static_cast<std::int64_t>(registers(thread).orig_rax);
  if (!caught->second.empty() && !caught->second.contains(number)) return After::Run;
  const bool entry = ptrace_call::syscall_side(thread.id.tid) == ptrace_call::SyscallSide::Entry;
  thread.unreported =
      SystemCallStop{entry ? SystemCallStop::Side::Entry : SystemCallStop::Side::Return, number};
  return After::Hold;
}

}  // namespace icecore::replay

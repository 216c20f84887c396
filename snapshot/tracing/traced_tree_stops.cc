// SPDX-License-Identifier: Apache-2.0
// What the kernel reports of traced threads, and what is done about it.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/error.h"
#include "snapshot/tracing/restartable_sequence.h"
#include "snapshot/tracing/seccomp_policy.h"
#include "snapshot/tracing/syscall_restart.h"
#include "snapshot/tracing/task_list.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {
namespace {

bool is_stopping_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// Signals whose default action leaves a core: a defect in any process of the tree.
bool is_core_signal(int signal) {
  switch (signal) {
    case SIGQUIT:
    case SIGILL:
    case SIGABRT:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGSYS:
    case SIGTRAP:
    case SIGXCPU:
    case SIGXFSZ:
      return true;
    default:
      return false;
  }
}

bool is_harmless_by_default(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH ||
         is_stopping_signal(signal);
}

}  // namespace

// ---- wait statuses ----------------------------------------------------------------------------

std::optional<TreeEvent> TracedTree::dispatch() {
  for (;;) {
    if (!events_.empty()) {
      const TreeEvent event = events_.front();
      events_.erase(events_.begin());
      return event;
    }
    int status = 0;
    const int tid = ::waitpid(-1, &status, __WALL | WNOHANG | WUNTRACED);
    if (tid <= 0) {
      end_overdue_calls();
      return std::nullopt;
    }
    take_status(tid, status);
  }
}

void TracedTree::take_status(int tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) {
    remove_thread(tid, status);
    return;
  }
  if (!WIFSTOPPED(status)) return;
  const auto found = threads_.find(tid);
  if (found != threads_.end()) {
    take_stop(found->second, status);
    return;
  }
  if (tid == root_ && (status >> 16) == 0) {
    // Our own child, not traced at the moment: plain job control.
    events_.push_back({TreeEvent::Kind::RootStopped, tid, WSTOPSIG(status), status});
    return;
  }
  // A child of an attached tree may report before its parent's fork event does.
  const auto pid = thread_group(tid);
  if (!pid) return;
  add_process(*pid);
  take_stop(adopt(*pid, tid), status);
}

TracedThread& TracedTree::adopt(int pid, int tid) {
  auto& thread = threads_[tid];
  thread.tid = tid;
  thread.pid = pid;
  processes_[pid].tids.insert(tid);
  return thread;
}

void TracedTree::take_stop(TracedThread& thread, int status) {
  const int event = status >> 16;
  const int signal = WSTOPSIG(status);
  switch (event) {
    case PTRACE_EVENT_STOP:
      take_event_stop(thread, signal);
      return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      take_new_child(thread);
      pass_through(thread);
      return;
    case PTRACE_EVENT_EXEC: {
      // All other threads are gone; the calling thread now has the leader's id.
      auto& process = processes_[thread.pid];
      for (const int tid : process.tids) {
        if (tid != thread.tid) threads_.erase(tid);
      }
      process.tids = {thread.tid};
      thread.call.reset();
      pass_through(thread);
      return;
    }
    case 0:
      if (signal == (SIGTRAP | 0x80)) {
        take_syscall_stop(thread);
      } else {
        take_signal_stop(thread, signal);
      }
      return;
    default:
      pass_through(thread);
  }
}

/// Resumes from a stop that is not the one we asked for. Any stop counts as the answer to
/// PTRACE_INTERRUPT (the kernel drops the pending one), so it has to be asked for again.
void TracedTree::pass_through(TracedThread& thread) {
  if (thread.interrupted) ptrace_call::interrupt(thread.tid);
  if (thread.call) {
    ptrace_call::resume_to_syscall(thread.tid, 0);
  } else {
    ptrace_call::resume(thread.tid, 0);
  }
}

/// A call of ours that is starting again is still under way.
void TracedTree::undo_restart(TracedThread& thread) {
  if (thread.call && is_starting_again(thread.pid, thread.registers)) {
    thread.registers = before_starting_again(thread.registers);
  }
}

/// Only code that is in no system call is in a sequence.
void TracedTree::leave_sequence(TracedThread& thread) {
  if (static_cast<long>(thread.registers.orig_rax) >= 0) return;
  leave_restartable_sequence(thread.pid, thread.tid, thread.registers);
}

void TracedTree::take_event_stop(TracedThread& thread, int signal) {
  const bool wanted = freezing_ || frozen_;
  const auto registers = ptrace_call::registers(thread.tid);
  if (!registers) return;  // killed in the stop; its exit status follows
  thread.registers = *registers;
  undo_restart(thread);
  leave_sequence(thread);
  thread.interrupted = false;
  thread.stop_signal = 0;
  thread.stop_siginfo.clear();
  if (is_stopping_signal(signal)) {
    thread.state = TracedThread::State::GroupStopped;
    thread.group_stop_signal = signal;
    if (thread.call) {
      // Job control interrupts such calls for good; the program sees what it would have seen.
      thread.registers = thread.call->ended(thread.registers);
      thread.call.reset();
      ptrace_call::set_registers(thread.tid, thread.registers);
    }
    if (thread.tid == root_ && !wanted) {
      events_.push_back({TreeEvent::Kind::RootStopped, thread.tid, signal, 0});
    }
  } else {
    thread.state = TracedThread::State::Stopped;
    take_interrupted_call(thread);
  }
  if (!wanted) release(thread);
}

/// The timeouts that we keep ourselves. What is asked for here ends in take_interrupted_call().
void TracedTree::end_overdue_calls() {
  for (auto& [tid, thread] : threads_) {
    const bool asleep = thread.state == TracedThread::State::Running && !thread.interrupted;
    if (asleep && thread.call && thread.call->is_overdue()) {
      thread.interrupted = ptrace_call::interrupt(tid);
    }
  }
}

void TracedTree::take_interrupted_call(TracedThread& thread) {
  if (thread.call && is_interruption(static_cast<long>(thread.registers.rax))) {
    if (thread.call->is_overdue()) {
      thread.registers = thread.call->timed_out(thread.registers);
      thread.call.reset();
      ptrace_call::set_registers(thread.tid, thread.registers);
      return;
    }
  } else {
    thread.call = InterruptedCall::find(thread.pid, thread.registers, slept_since(thread));
    if (!thread.call) avoid_restart_syscall(thread);
  }
  thread.limited.reset();
  thread.time_left = thread.call ? std::nullopt : TimeLeft::find(thread.registers);
  if (thread.call) {
    thread.registers = thread.call->shown(thread.registers);
  } else if (const auto sleep = limited_sleeps_.find(thread.pid, thread.tid, thread.registers,
                                                     slept_since(thread))) {
    thread.limited = sleep;
  } else if (restart_if_cut_short(thread.registers)) {
    ptrace_call::set_registers(thread.tid, thread.registers);
  }
}

/// A sleep goes on by restart_syscall, for which a filter that does not know it ends the program.
void TracedTree::avoid_restart_syscall(TracedThread& thread) {
  if (!is_to_be_restarted_by_kernel(thread.registers) ||
      !forbids_restart_syscall(thread.pid, thread.tid, thread.registers.rip)) {
    return;
  }
  thread.call =
      InterruptedCall::instead_of_restart(thread.pid, thread.registers, slept_since(thread));
  thread.registers.rax = static_cast<unsigned long long>(-kErestartNoHand);
  // At once: what the kernel has put there would end the program, should we die.
  ptrace_call::set_registers(thread.tid, thread.registers);
}

/// Only threads with a call that goes on under our eyes are resumed to such stops.
void TracedTree::take_syscall_stop(TracedThread& thread) {
  const auto registers = ptrace_call::registers(thread.tid);
  if (!registers) return;
  const bool exit = ptrace_call::syscall_side(thread.tid) == ptrace_call::SyscallSide::Exit;
  if (!thread.call || !exit) {
    pass_through(thread);
    return;
  }
  if (is_interruption(static_cast<long>(registers->rax))) {
    // Cut short once more, by a signal or by us. Only the stop inside signal delivery lets the
    // kernel start the call again; until then it is what it should be if we die.
    ptrace_call::set_registers(thread.tid, thread.call->given_up());
    thread.interrupted = true;
    pass_through(thread);
    return;
  }
  const auto ended = thread.call->ended(*registers);
  ptrace_call::set_registers(thread.tid, ended);
  thread.call.reset();
  // Short without a stop of ours: by a signal that another thread takes, perhaps, so that no other
  // stop of this one follows. There we look once more whether it has to go on.
  if (InterruptedCall::is_part_done(thread.pid, ended)) thread.interrupted = true;
  if (thread.interrupted) {
    pass_through(thread);
  } else {
    thread.stop_signal = 0;
    thread.state = TracedThread::State::Stopped;
    release(thread);
  }
}

void TracedTree::note_sleepers() {
  sleeps_.clear();
  population_ = population();
  drop_ended();
  list_processes();
  listed_.clear();
  SleepClock clock;
  std::set<int> living;
  for (const auto& [pid, process] : processes_) {
    if (process.zombie) continue;
    const auto& tids = listed_[pid] = task_ids(pid);
    for (const int tid : tids) {
      living.insert(tid);
      const auto known = threads_.find(tid);
      if (known != threads_.end() && known->second.call) continue;  // its deadline is known
      if (!limited_sleeps_.may_be_in(pid, tid) && !CallTimeout::find_asleep(pid, tid)) continue;
      if (const auto sleep = clock.sleep_of(pid, tid)) sleeps_[tid] = *sleep;
    }
  }
  limited_sleeps_.keep_only(living);
}

std::optional<std::int64_t> TracedTree::slept_since(const TracedThread& thread) const {
  const auto noted = sleeps_.find(thread.tid);
  if (noted == sleeps_.end()) return std::nullopt;
  const auto switches = SleepClock::voluntary_switches(thread.pid, thread.tid);
  // Our stop is one switch; any more and it was another sleep that we noted.
  if (!switches || *switches > noted->second.voluntary_switches + 1) return std::nullopt;
  return noted->second.since_ns;
}

void TracedTree::take_signal_stop(TracedThread& thread, int signal) {
  thread.interrupted = false;
  thread.stop_signal = signal;
  thread.stop_siginfo = ptrace_call::siginfo(thread.tid).value_or(SiginfoBytes{});
  if (const auto registers = ptrace_call::registers(thread.tid)) thread.registers = *registers;
  undo_restart(thread);
  leave_sequence(thread);
  thread.state = TracedThread::State::Stopped;
  const auto signals = task_signals(thread.pid, thread.tid);
  const auto is_in = [signal](std::uint64_t set) {
    return (set & (1ULL << static_cast<unsigned>(signal - 1))) != 0;
  };
  const bool stops = is_stopping_signal(signal) && signals && !is_in(signals->ignored);
  if (signals && is_in(signals->caught)) {
    if (thread.call) {
      thread.registers = thread.call->ended(thread.registers);
      thread.call.reset();
      ptrace_call::set_registers(thread.tid, thread.registers);
    }
    // Remote calls set the thread's mask, which ends the mask that its call (ppoll, epoll_pwait
    // ...) has set for its own time. If that was all that let the signal through, the kernel now
    // queues it again, and the call has to start again to take it; where the handler runs, it is
    // -EINTR.
    if (restart_if_cut_short(thread.registers)) {
      ptrace_call::set_registers(thread.tid, thread.registers);
    }
  } else if (thread.call || !stops) {
    // Untraced threads are not even woken by signals that are ignored.
    take_interrupted_call(thread);
  }
  if (freezing_ || frozen_) return;
  if (between_ == Between::Attached && would_die_of(thread, signal)) {
    events_.push_back({TreeEvent::Kind::FatalSignal, thread.tid, signal, 0});
    return;
  }
  release(thread);
}

void TracedTree::take_new_child(const TracedThread& parent) {
  const auto message = ptrace_call::event_message(parent.tid);
  if (!message) return;
  const int tid = static_cast<int>(*message);
  const auto pid = thread_group(tid);
  if (!pid) return;  // born and gone
  add_process(*pid);
  adopt(*pid, tid);
}

void TracedTree::remove_thread(int tid, int status) {
  const auto found = threads_.find(tid);
  const int pid = found != threads_.end() ? found->second.pid : tid;
  forget_thread(tid);
  const auto process = processes_.find(pid);
  if (process != processes_.end() && process->second.tids.empty() && !task_stat(pid, pid)) {
    processes_.erase(process);
  }
  if (tid == root_ && (WIFEXITED(status) || WIFSIGNALED(status))) {
    events_.push_back({TreeEvent::Kind::RootExited, tid, 0, status});
  }
}

bool TracedTree::would_die_of(const TracedThread& thread, int signal) const {
  if (is_harmless_by_default(signal)) return false;
  if (!is_core_signal(signal) && thread.pid != root_) return false;
  const auto signals = task_signals(thread.pid, thread.tid);
  if (!signals) return false;
  const std::uint64_t bit = 1ULL << static_cast<unsigned>(signal - 1);
  return (signals->caught & bit) == 0 && (signals->ignored & bit) == 0;
}

}  // namespace icecore::snapshot

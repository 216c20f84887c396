// SPDX-License-Identifier: Apache-2.0
// How threads are let run and made to stand still, and what of it the client is told.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "replay/live/held_signal.h"
#include "replay/live/live_tree.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

using gdbstub::ResumeAction;
using gdbstub::StopEvent;

/// Sets a flag for as long as it lives.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
  ~Raised() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

const ResumeAction* action_for(std::span<const ResumeAction> actions, gdbstub::ThreadId id) {
  for (const ResumeAction& action : actions) {
    if (action.threads.matches(id)) return &action;
  }
  return nullptr;
}

bool is_shown(const LiveProcess& process) {
  return process.visibility == LiveProcess::Visibility::Shown;
}

}  // namespace

void LiveTree::resume(std::span<const ResumeAction> actions) {
  actions_.assign(actions.begin(), actions.end());
  bool known_already = false;
  std::vector<LiveThread*> chosen;
  for (auto& [pid, process] : processes_) {
    if (!is_shown(process)) continue;
    for (auto& [tid, thread] : process.threads) {
      const ResumeAction* action = action_for(actions, thread.id);
      if (action == nullptr) continue;
      if (action->kind == ResumeAction::Kind::Stop) {
        if (!thread.wanted) continue;
        thread.told_as = 0;
        stop(thread);
      } else if (!thread.wanted) {
        drop_stale(thread);
        thread.wanted = *action;
        known_already = known_already || thread.unreported;
        chosen.push_back(&thread);
      }
    }
  }
  // What the client does not know yet comes before anything new happens.
  const bool held = known_already && mode_ == Mode::AllStop;
  for (LiveThread* thread : chosen) {
    if (thread->unreported) continue;
    thread->signal = 0;
    const int signal = thread->wanted->signal;
    if (signal == 0) continue;
    if (thread->in_signal_stop && !held) {
      thread->signal = signal;
    } else {
      // By way of the kernel's queue, since this stop cannot deliver it.
      send_again(*thread, {signal, {}});
    }
  }
  if (known_already || !anything_wanted()) signals_.announce();
  if (!held) run_wanted();
  if (interrupt_owed_) interrupt();
}

/// A hit that the client was not told of means nothing to it when it has removed the watchpoint or
/// hardware breakpoint meanwhile.
void LiveTree::drop_stale(LiveThread& thread) {
  if (!thread.unreported || thread.state != LiveThread::State::Stopped) return;
  const WatchSlots& watches = processes_.at(thread.id.pid).watches;
  const auto* watch = std::get_if<gdbstub::HitWatchpoint>(&*thread.unreported);
  const auto* hit = std::get_if<gdbstub::HitBreakpoint>(&*thread.unreported);
  const bool gone = watch != nullptr && !watches.has(watch->address);
  const bool gone_too = hit != nullptr && hit->kind == gdbstub::HitBreakpoint::Kind::Hardware &&
                        !watches.has(registers(thread).rip);
  if (gone || gone_too) thread.unreported.reset();
}

/// Whether the way into the handler was all of a step, which is told then.
bool LiveTree::take_signal_by_observer(LiveThread& thread, int signal) {
  if (!observer_->delivers(process(thread.id.pid), thread, signal)) return false;
  thread.signal = 0;
  thread.in_signal_stop = false;
  thread.registers.reset();
  thread.xstate.reset();
  if (thread.wanted->kind == ResumeAction::Kind::Continue) return false;
  thread.unreported = gdbstub::Signalled{SIGTRAP};
  signals_.announce();
  return true;
}

void LiveTree::run(LiveThread& thread) {
  const int tid = thread.id.tid;
  const bool observed =
      observer_ != nullptr && observer_->before_run(process(thread.id.pid), thread);
  if (observed && thread.signal != 0 && take_signal_by_observer(thread, thread.signal)) return;
  const int signal = std::exchange(thread.signal, 0);
  const bool step = thread.wanted->kind != ResumeAction::Kind::Continue;
  thread.registers.reset();
  thread.xstate.reset();
  thread.stepped = step;
  thread.state = LiveThread::State::Running;
  const int group_stop = std::exchange(thread.group_stop, 0);
  thread.in_signal_stop = false;
  // False answers mean that it was killed: its exit will be reported.
  if (step && observed && observer_->steps_call(thread)) {
    ptrace_call::resume_to_syscall(tid, signal);
  } else if (step) {
    ptrace_call::step(tid, signal);
  } else if (group_stop != 0 && ptrace_call::listen(tid)) {
    thread.state = LiveThread::State::Listening;
    thread.group_stop = group_stop;
  } else if (observed || wishes_.system_calls.contains(thread.id.pid)) {
    ptrace_call::resume_to_syscall(tid, signal);
  } else {
    ptrace_call::resume(tid, signal);
  }
  // Any stop takes the place of one that was asked for.
  if (thread.told_as && !holding_) stop(thread);
}

void LiveTree::run_wanted() {
  if (holding_) return;
  for (auto& [pid, process] : processes_) {
    for (auto& [tid, thread] : process.threads) {
      const bool ready = thread.state == LiveThread::State::Stopped && !thread.unreported;
      if (ready && thread.wanted) run(thread);
    }
  }
}

/// In non-stop mode one of those that stop is told as interrupted, the others as stopped.
void LiveTree::interrupt() {
  interrupt_owed_ = true;
  LiveThread* chosen = nullptr;
  std::vector<LiveThread*> running;
  for (auto& [pid, process] : processes_) {
    if (!is_shown(process)) continue;
    for (auto& [tid, thread] : process.threads) {
      // It stops without our asking.
      if (thread.wanted && thread.unreported && mode_ == Mode::AllStop) return;
      if (!thread.wanted || !thread.runs()) continue;
      running.push_back(&thread);
      if (chosen == nullptr || tid == last_told_) chosen = &thread;
    }
  }
  if (chosen == nullptr) return;
  chosen->told_as = SIGINT;
  stop(*chosen);
  if (mode_ == Mode::AllStop) return;
  for (LiveThread* thread : running) {
    if (thread != chosen) thread->told_as = 0;
    stop(*thread);
  }
}

// ---- stopping -----------------------------------------------------------------------------------

void LiveTree::stop(LiveThread& thread) {
  if (!thread.runs() || thread.interrupted) return;
  thread.interrupted = ptrace_call::interrupt(thread.id.tid);
  thread.state = LiveThread::State::Running;
}

void LiveTree::stop_all() {
  const Raised hold(holding_);
  const auto concerned = [this](const LiveThread& thread) {
    return is_shown(processes_.at(thread.id.pid));
  };
  wait_for_stops(concerned);
}

void LiveTree::while_stopped(std::int32_t pid, const std::function<void()>& work) {
  {
    const Raised hold(holding_);
    wait_for_stops([pid](const LiveThread& thread) { return thread.id.pid == pid; });
    work();
  }
  run_wanted();
  // What others wait for may have been heard here.
  if (anything_wanted()) signals_.announce();
}

/// Stops the concerned ones; the newborn among them are in their first stop already.
void LiveTree::wait_for_stops(const std::function<bool(const LiveThread&)>& concerned) {
  for (int idle = 0;;) {
    std::vector<std::int32_t> waiting;
    for (auto& [pid, process] : processes_) {
      for (auto& [tid, thread] : process.threads) {
        if (!thread.runs() || !concerned(thread)) continue;
        stop(thread);
        waiting.push_back(tid);
      }
    }
    if (waiting.empty()) return;
    bool progress = false;
    for (const std::int32_t tid : waiting) {
      const auto status = ChildSignals::next_of(tid);
      if (!status) continue;
      take_status(*status);
      progress = true;
    }
    if (progress) continue;
    ChildSignals::wait(std::chrono::milliseconds(2));
    if (++idle % 2 == 0) mark_suspended();
  }
}

/// A vfork parent sleeps uninterruptibly until its child has executed or exited; its stop comes
/// before its next instruction.
void LiveTree::mark_suspended() {
  for (auto& [pid, process] : processes_) {
    for (auto& [tid, thread] : process.threads) {
      if (thread.state != LiveThread::State::Running) continue;
      const auto stat = snapshot::task_stat(pid, tid);
      if (!stat || stat->state != 'D') continue;
      const auto number = snapshot::task_syscall(pid, tid);
      if (number && (*number == SYS_vfork || *number == SYS_clone || *number == SYS_clone3)) {
        thread.state = LiveThread::State::Suspended;
      }
    }
  }
}

// ---- over a breakpoint that is not to be told ---------------------------------------------------

/// The others that share the memory stand still meanwhile, or they would pass the place unseen.
void LiveTree::step_over(LiveThread& thread) {
  const auto id = thread.id;
  const auto memory = processes_.at(id.pid).memory;
  {
    const Raised hold(holding_);
    wait_for_stops([&](const LiveThread& other) {
      return other.id.tid != id.tid && processes_.at(other.id.pid).memory == memory;
    });
    LiveThread* stepping = find_thread(id.tid);
    if (stepping == nullptr) return;
    const LiveMemory::Lift lift(*memory, registers(*stepping).rip);
    if (observer_ != nullptr) {
      observer_->before_run(processes_.at(id.pid), *stepping);
      if (stepping->signal != 0) observer_->missed(*stepping, "a signal at a breakpoint");
      if (observer_->steps_call(*stepping)) {
        observer_->missed(*stepping, "a system call at a breakpoint");
      }
    }
    stepping->registers.reset();
    stepping->xstate.reset();
    stepping->stepped = true;
    stepping->state = LiveThread::State::Running;
    stepping->in_signal_stop = false;
    ptrace_call::step(id.tid, std::exchange(stepping->signal, 0));
    wait_for_step(id.tid);
  }
  run_wanted();
}

/// Until it has stopped, or sleeps in a system call: then it is past the place, and the others may
/// be what it waits for.
void LiveTree::wait_for_step(std::int32_t tid) {
  for (int idle = 0;; ++idle) {
    if (const auto status = ChildSignals::next_of(tid)) {
      take_status(*status);
      return;
    }
    ChildSignals::wait(std::chrono::milliseconds(5));
    const LiveThread* thread = find_thread(tid);
    if (thread == nullptr) return;
    const auto stat = snapshot::task_stat(thread->id.pid, tid);
    if (idle > 2 && stat && (stat->state == 'S' || stat->state == 'D')) return;
  }
}

// ---- telling ------------------------------------------------------------------------------------

bool LiveTree::anything_wanted() const {
  for (const auto& [pid, process] : processes_) {
    if (!is_shown(process)) continue;
    for (const auto& [tid, thread] : process.threads) {
      if (thread.wanted) return true;
    }
  }
  return false;
}

/// The first after the one that was told last, so that all get their turn.
LiveThread* LiveTree::next_to_tell() {
  LiveThread* first = nullptr;
  LiveThread* after_last = nullptr;
  for (auto& [pid, process] : processes_) {
    for (auto& [tid, thread] : process.threads) {
      if (!thread.unreported || !thread.wanted) continue;
      if (first == nullptr) first = &thread;
      if (after_last == nullptr && tid > last_told_) after_last = &thread;
    }
  }
  return after_last != nullptr ? after_last : first;
}

std::optional<StopEvent> LiveTree::next_event() {
  signals_.take_notice();
  while (const auto status = signals_.next()) take_status(*status);
  for (auto& [pid, process] : processes_) {
    if (observer_ != nullptr) observer_->time_passed(process);
  }
  const bool something = !ended_.empty() || next_to_tell() != nullptr;
  if (something && mode_ == Mode::AllStop) stop_all();
  auto event = tell_one();
  if (event) return event;
  if (anything_wanted() || mode_ == Mode::NonStop) return std::nullopt;
  return StopEvent{{}, gdbstub::NothingResumed{}};
}

void LiveTree::stand_still() {
  stop_all();
  settle(nullptr);
}

StopEvent LiveTree::current_stop() const {
  const LiveThread* chosen = nullptr;
  for (const auto& [pid, process] : processes_) {
    if (!is_shown(process)) continue;
    for (const auto& [tid, thread] : process.threads) {
      if (chosen == nullptr || tid == last_told_) chosen = &thread;
    }
  }
  return chosen == nullptr ? StopEvent{} : StopEvent{chosen->id, chosen->reported};
}

std::optional<StopEvent> LiveTree::tell_one() {
  std::optional<StopEvent> event;
  LiveThread* thread = ended_.empty() ? next_to_tell() : nullptr;
  if (!ended_.empty()) {
    event = std::move(ended_.front());
    ended_.pop_front();
  } else if (thread != nullptr) {
    event = StopEvent{thread->id, *std::exchange(thread->unreported, std::nullopt)};
    last_told_ = thread->id.tid;
    thread->reported = event->reason;
    thread->wanted.reset();
  }
  if (!event) return std::nullopt;
  if (mode_ == Mode::AllStop) settle(thread);
  if (!ended_.empty() || next_to_tell() != nullptr) signals_.announce();
  return event;
}

/// All-stop: the client now takes every thread for stopped. What it would not expect to hear of the
/// others later is dropped: they come to their breakpoint again, and their steps are over.
void LiveTree::settle(const LiveThread* told) {
  for (auto& [pid, process] : processes_) {
    if (!is_shown(process)) continue;
    for (auto& [tid, thread] : process.threads) {
      thread.wanted.reset();
      thread.told_as.reset();
      if (&thread == told || !thread.unreported) continue;
      const auto* hit = std::get_if<gdbstub::HitBreakpoint>(&*thread.unreported);
      const auto* signalled = std::get_if<gdbstub::Signalled>(&*thread.unreported);
      const bool rewound = hit != nullptr && hit->kind == gdbstub::HitBreakpoint::Kind::Software;
      const bool stepped = signalled != nullptr && signalled->signal == SIGTRAP && thread.stepped;
      if (rewound || stepped) thread.unreported.reset();
    }
  }
}

}  // namespace icecore::replay

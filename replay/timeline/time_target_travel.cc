// SPDX-License-Identifier: Apache-2.0
// How a debugger's commands move it in time.
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "gdbstub/target/stop_condition.h"
#include "replay/timeline/time_target.h"

namespace icecore::replay {
namespace {

using gdbstub::Breakpoint;
using gdbstub::HitBreakpoint;
using gdbstub::HitWatchpoint;
using gdbstub::ReachedHistoryEnd;
using gdbstub::ResumeAction;
using gdbstub::Signalled;

/// Each costs milliseconds, and nobody is listened to meanwhile.
constexpr int kMostVisits = 2000;

/// A condition that was false at one more visit.
void count_visit(int& visits) {
  if (++visits < kMostVisits) return;
  throw Error("the condition was false at the " + std::to_string(kMostVisits) +
              " nearest visits: nothing has moved; a watchpoint finds a value faster");
}

}  // namespace

void TimeTarget::tell(const gdbstub::StopReason& reason) {
  stop_ = {{pid_, pid_}, reason};
  event_ = stop_;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(announcer_.get(), &one, sizeof one);
}

std::optional<gdbstub::StopEvent> TimeTarget::next_event() {
  if (!event_) return live_.execution()->next_event();
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(announcer_.get(), &count, sizeof count);
  return std::exchange(event_, std::nullopt);
}

int TimeTarget::event_descriptor() const {
  if (event_) return announcer_.get();
  return const_cast<LiveTarget&>(live_).execution()->event_descriptor();
}

MomentPointer TimeTarget::now(std::int32_t pid) {
  if (past_ && pid != pid_) {
    throw Error("process " + std::to_string(pid_) + " is in the past: go to its present first");
  }
  if (past_) return past_;
  History& history = *recording_.life(pid).history;
  const snapshot::AffinityScope affinity;
  if (!present_ || present_->pid != pid) present_ = history.present(pid);
  pid_ = pid;
  return present_;
}

Goal TimeTarget::goal(std::int32_t pid) const {
  Goal goal;
  for (const auto& [breakpoint, condition] : inserted_) {
    if (breakpoint.pid != pid) continue;
    switch (breakpoint.kind) {
      case Breakpoint::Kind::Software:
      case Breakpoint::Kind::Hardware:
        goal.breakpoints.insert(breakpoint.address);
        break;
      case Breakpoint::Kind::WriteWatch:
        goal.watches.push_back({breakpoint.address, breakpoint.size, WatchedMemory::Kind::Change});
        break;
      case Breakpoint::Kind::ReadWatch:
      case Breakpoint::Kind::AccessWatch:
        goal.watches.push_back({breakpoint.address, breakpoint.size, WatchedMemory::Kind::Access});
        break;
    }
  }
  return goal;
}

void TimeTarget::go_to(std::int32_t pid, MomentPointer moment) {
  pid_ = pid;
  past_ = std::move(moment);
}

void TimeTarget::return_to_present() {
  if (!std::exchange(past_, nullptr)) return;
  for (const auto& [breakpoint, condition] : inserted_) {
    if (condition) {
      live_.breakpoints()->insert_conditional(breakpoint, condition);
    } else {
      live_.breakpoints()->insert(breakpoint);
    }
  }
}

/// Whether a breakpoint's condition holds there.
bool TimeTarget::counts(std::int32_t pid, const Found& found) {
  if (found.watch) return true;
  go_to(pid, found.moment);
  bool any = false;
  for (const auto& [breakpoint, condition] : inserted_) {
    const bool here = breakpoint.pid == pid && breakpoint.address == found.moment->registers.rip;
    const bool watch = breakpoint.kind != Breakpoint::Kind::Software &&
                       breakpoint.kind != Breakpoint::Kind::Hardware;
    if (!here || watch) continue;
    any = any || !condition || condition->asks_for_stop(*this, {pid, pid});
  }
  return any;
}

void TimeTarget::tell_found(std::int32_t pid, Found found) {
  go_to(pid, std::move(found.moment));
  if (!found.watch) return tell(HitBreakpoint{});
  const auto kind = found.watch->kind == WatchedMemory::Kind::Change ? HitWatchpoint::Kind::Write
                                                                     : HitWatchpoint::Kind::Access;
  tell(HitWatchpoint{kind, found.watch->address});
}

void TimeTarget::continue_backward(gdbstub::ThreadId thread) {
  if (take_planned_move(thread.pid)) return;
  MomentPointer from = now(thread.pid);
  History& history = *recording_.life(thread.pid).history;
  const snapshot::AffinityScope affinity;
  snapshot::move_to_cpu(::sched_getcpu());
  const Goal wanted = goal(thread.pid);
  const bool any = !wanted.breakpoints.empty() || !wanted.watches.empty();
  const MomentPointer before = past_;
  for (int visits = 0; any;) {
    auto found = history.find_last(*from, wanted);
    if (!found) break;
    if (counts(thread.pid, *found)) return tell_found(thread.pid, *std::move(found));
    past_ = before;
    count_visit(visits);
    from = found->moment;
  }
  go_to(thread.pid, history.at(history.begin()->position));
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::Begin});
}

void TimeTarget::step_backward(gdbstub::ThreadId thread) {
  if (take_planned_move(thread.pid)) return;
  const MomentPointer from = now(thread.pid);
  History& history = *recording_.life(thread.pid).history;
  const snapshot::AffinityScope affinity;
  snapshot::move_to_cpu(::sched_getcpu());
  auto before = history.step_back(*from);
  if (before) {
    go_to(thread.pid, std::move(before));
    return tell(Signalled{SIGTRAP});
  }
  go_to(thread.pid, history.at(history.begin()->position));
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::Begin});
}

void TimeTarget::resume(std::span<const ResumeAction> actions) {
  const std::int32_t pid = past_ ? pid_ : live_.current_stop().thread.pid;
  if (take_planned_move(pid)) return;
  if (!past_) {
    present_ = nullptr;
    return live_.execution()->resume(actions);
  }
  for (const auto& action : actions) {
    if (!action.threads.matches({pid_, pid_})) continue;
    const snapshot::AffinityScope affinity;
    snapshot::move_to_cpu(::sched_getcpu());
    if (action.kind == ResumeAction::Kind::Continue) return continue_forward();
    return step_forward(action);
  }
  throw Error("process " + std::to_string(pid_) + " is in the past: go to its present first")
      .set_hint("continue");
}

void TimeTarget::continue_forward() {
  History& history = *recording_.life(pid_).history;
  const Goal wanted = goal(pid_);
  const MomentPointer before = past_;
  int visits = 0;
  for (MomentPointer from = past_;;) {
    auto found = history.find_next(*from, present_->position, wanted);
    if (!found) break;
    if (counts(pid_, *found)) return tell_found(pid_, *std::move(found));
    past_ = before;
    count_visit(visits);
    from = found->moment;
  }
  return_to_present();
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::End});
}

void TimeTarget::step_forward(const ResumeAction& action) {
  History& history = *recording_.life(pid_).history;
  for (;;) {
    auto next = history.step_on(*past_);
    if (next->position >= present_->position) {
      return_to_present();
      return tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::End});
    }
    go_to(pid_, std::move(next));
    const std::uint64_t pc = past_->registers.rip;
    const bool inside = action.kind == ResumeAction::Kind::StepRange && pc >= action.range_start &&
                        pc < action.range_end;
    const bool at_breakpoint = goal(pid_).breakpoints.contains(pc);
    if (!inside || at_breakpoint) return tell(Signalled{SIGTRAP});
  }
}

/// A client forgets what it has read only when the target was resumed: so `monitor goto` plans, and
/// the next command moves.
bool TimeTarget::take_planned_move(std::int32_t pid) {
  if (!planned_) return false;
  MomentPointer moment = *std::exchange(planned_, std::nullopt);
  if (moment) {
    go_to(pid, std::move(moment));
  } else {
    return_to_present();
  }
  pid_ = pid;
  tell(Signalled{SIGTRAP});
  return true;
}

}  // namespace icecore::replay

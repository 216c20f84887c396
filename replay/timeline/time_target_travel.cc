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

}  // namespace

void TimeTarget::tell(const gdbstub::StopReason& reason) { tell_stop({pid_, pid_}, reason); }

void TimeTarget::tell_stop(gdbstub::ThreadId thread, const gdbstub::StopReason& reason) {
  stop_ = {thread, reason};
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
  History& history = history_of(pid);
  const snapshot::AffinityScope affinity;
  if (!present_ || present_->pid != pid) present_ = history.present(pid);
  pid_ = pid;
  return present_;
}

Goal TimeTarget::goal(std::int32_t pid) {
  Goal goal;
  for (const auto& [breakpoint, condition] : inserted_) {
    if (breakpoint.pid != pid) continue;
    switch (breakpoint.kind) {
      case Breakpoint::Kind::Software:
      case Breakpoint::Kind::Hardware:
        goal.breakpoints.insert(breakpoint.address);
        if (condition) goal.counts = [this](const Passing& passing) { return counts(passing); };
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
  const bool in_sure_moment = std::exchange(sure_, nullptr) != nullptr;
  if (!std::exchange(past_, nullptr) && !in_sure_moment) return;
  for (const auto& [breakpoint, condition] : inserted_) {
    live_.breakpoints()->insert_conditional(breakpoint, condition);
  }
}

/// Whether a breakpoint's condition holds there. It is asked of this target, as in the present.
bool TimeTarget::counts(const Passing& passing) {
  passing_ = &passing;
  bool any = false;
  for (const auto& [breakpoint, condition] : inserted_) {
    const bool here = breakpoint.pid == pid_ && breakpoint.address == passing.registers.rip;
    const bool watch = breakpoint.kind != Breakpoint::Kind::Software &&
                       breakpoint.kind != Breakpoint::Kind::Hardware;
    if (!here || watch) continue;
    any = any || !condition || condition->asks_for_stop(*this, {pid_, pid_});
  }
  passing_ = nullptr;
  return any;
}

void TimeTarget::tell_found(std::int32_t pid, Found found) {
  go_to(pid, std::move(found.moment));
  if (!found.watch) return tell(HitBreakpoint{});
  const auto kind = found.watch->kind == WatchedMemory::Kind::Change ? HitWatchpoint::Kind::Write
                                                                     : HitWatchpoint::Kind::Access;
  tell(HitWatchpoint{kind, found.watch->address});
}

History& TimeTarget::history_of(std::int32_t pid) { return *life(pid).history; }

void TimeTarget::search(gdbstub::ThreadId thread, const std::function<void(History&)>& work) {
  History* history = nullptr;
  const snapshot::AffinityScope affinity;
  snapshot::move_to_cpu(::sched_getcpu());
  try {
    history = &history_of(thread.pid);
    history->set_keep_going([this] { return !client_speaks_ || !client_speaks_(); });
    work(*history);
  } catch (const SearchEnded&) {
    interrupt_heard_ = true;
    tell_stop(thread, Signalled{SIGINT});
  } catch (const Error& error) {
    message_ = std::string(error.what()) + "\n";
    tell_stop(thread, Signalled{0});
  }
  if (history != nullptr) history->set_keep_going({});
}

/// What the client said to end a search is read when that has ended.
void TimeTarget::interrupt() {
  if (std::exchange(interrupt_heard_, false) || past_ || sure_) return;
  live_.execution()->interrupt();
}

void TimeTarget::continue_backward(gdbstub::ThreadId thread) {
  if (take_planned_move(thread.pid)) return;
  if (goes_by_sure_moments(thread.pid)) return go_to_sure_before(thread.pid);
  search(thread, [&](History& history) { find_backward(thread.pid, history); });
}

void TimeTarget::find_backward(std::int32_t pid, History& history) {
  const MomentPointer from = now(pid);
  const Goal wanted = goal(pid);
  if (!wanted.breakpoints.empty() || !wanted.watches.empty()) {
    auto found = history.find_last(*from, wanted);
    if (found) return tell_found(pid, *std::move(found));
  }
  go_to(pid, history.at(history.begin()->position));
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::Begin});
}

void TimeTarget::step_backward(gdbstub::ThreadId thread) {
  if (take_planned_move(thread.pid)) return;
  if (goes_by_sure_moments(thread.pid)) return go_to_sure_before(thread.pid);
  search(thread, [&](History& history) { find_step_backward(thread.pid, history); });
}

void TimeTarget::find_step_backward(std::int32_t pid, History& history) {
  auto before = history.step_back(*now(pid));
  if (before) {
    go_to(pid, std::move(before));
    return tell(Signalled{SIGTRAP});
  }
  go_to(pid, history.at(history.begin()->position));
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::Begin});
}

void TimeTarget::resume(std::span<const ResumeAction> actions) {
  const std::int32_t pid = past_ || sure_ ? pid_ : live_.current_stop().thread.pid;
  interrupt_heard_ = false;
  if (take_planned_move(pid)) return;
  if (sure_ && !actions.empty()) return go_on_in_sure_moment(actions.front(), stop_.thread);
  const bool arrived = std::exchange(stepped_there_, false);
  if (arrived && !actions.empty() && actions.front().kind == ResumeAction::Kind::Continue) {
    return tell_sure_end();
  }
  if (!past_) {
    present_ = nullptr;
    return live_.execution()->resume(actions);
  }
  for (const auto& action : actions) {
    if (!action.threads.matches({pid_, pid_})) continue;
    return search({pid_, pid_}, [&](History& history) {
      if (action.kind == ResumeAction::Kind::Continue) return continue_forward(history);
      step_forward(history, action);
    });
  }
  throw Error("process " + std::to_string(pid_) + " is in the past: go to its present first")
      .set_hint("continue");
}

void TimeTarget::continue_forward(History& history) {
  auto found = history.find_next(*past_, present_->position, goal(pid_));
  if (found) return tell_found(pid_, *std::move(found));
  return_to_present();
  tell(ReachedHistoryEnd{ReachedHistoryEnd::Which::End});
}

void TimeTarget::step_forward(History& history, const ResumeAction& action) {
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

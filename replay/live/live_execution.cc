// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_execution.h"

namespace icecore::replay {

void LiveExecution::resume(std::span<const gdbstub::ResumeAction> actions) {
  tree_.resume(actions);
}

void LiveExecution::interrupt() { tree_.interrupt(); }

std::optional<gdbstub::StopEvent> LiveExecution::next_event() { return tree_.next_event(); }

int LiveExecution::event_descriptor() const { return tree_.event_descriptor(); }

void LiveExecution::set_mode(Mode mode) {
  if (mode == Mode::AllStop) tree_.stand_still();
  tree_.set_mode(mode == Mode::NonStop ? LiveTree::Mode::NonStop : LiveTree::Mode::AllStop);
}

std::vector<gdbstub::StopEvent> LiveExecution::stopped_threads() {
  std::vector<gdbstub::StopEvent> stopped;
  for (const auto& [pid, process] : tree_.processes()) {
    if (process.visibility == LiveProcess::Visibility::Hidden) continue;
    for (const auto& [tid, thread] : process.threads) {
      if (!thread.wanted) stopped.push_back({thread.id, thread.reported});
    }
  }
  return stopped;
}

void LiveExecution::want(const gdbstub::WantedEvents& events) {
  LiveWishes& wishes = tree_.wishes();
  wishes.forks = events.forks;
  wishes.vforks = events.vforks;
  wishes.executions = events.execs;
  wishes.thread_births_and_ends = events.threads;
}

void LiveExecution::pass_without_stop(const std::set<int>& signals) {
  tree_.wishes().passed_signals = signals;
}

void LiveExecution::allow_delivery(const std::set<int>& signals) {
  tree_.wishes().deliverable_signals = signals;
}

void LiveExecution::catch_calls(std::int32_t pid, const gdbstub::CaughtSystemCalls& calls) {
  tree_.process(pid);
  auto& caught = tree_.wishes().system_calls;
  using Which = gdbstub::CaughtSystemCalls::Which;
  const bool none =
      calls.which == Which::None || (calls.which == Which::Listed && calls.numbers.empty());
  if (none) {
    caught.erase(pid);
  } else {
    caught[pid] = calls.which == Which::Listed ? calls.numbers : std::set<std::int64_t>();
  }
}

}  // namespace icecore::replay

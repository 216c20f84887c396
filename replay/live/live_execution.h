// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/event_choice.h"
#include "gdbstub/target/execution.h"
#include "gdbstub/target/non_stop.h"
#include "gdbstub/target/signal_passing.h"
#include "gdbstub/target/system_call_catching.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Going on and stopping, and what a client wants to hear of it.
class LiveExecution : public gdbstub::Execution,
                      public gdbstub::NonStop,
                      public gdbstub::EventChoice,
                      public gdbstub::SignalPassing,
                      public gdbstub::SystemCallCatching {
 public:
  explicit LiveExecution(LiveTree& tree) : tree_(tree) {}

  void resume(std::span<const gdbstub::ResumeAction> actions) override;
  void interrupt() override;
  std::optional<gdbstub::StopEvent> next_event() override;
  [[nodiscard]] int event_descriptor() const override;

  void set_mode(Mode mode) override;
  std::vector<gdbstub::StopEvent> stopped_threads() override;

  void want(const gdbstub::WantedEvents& events) override;
  void pass_without_stop(const std::set<int>& signals) override;
  void allow_delivery(const std::set<int>& signals) override;
  void catch_calls(std::int32_t pid, const gdbstub::CaughtSystemCalls& calls) override;

 private:
  LiveTree& tree_;
};

}  // namespace icecore::replay

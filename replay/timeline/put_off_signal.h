// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "replay/live/held_signal.h"
#include "snapshot/tracing/tracer_alarm.h"

namespace icecore::replay {

/// Timers go on while a process is stopped for its recording. Where one fires more often than its
/// signal can be recorded in the middle of a computation, the program would come to nothing else:
/// so such a signal waits until the program has run for as long as the last one cost, or makes a
/// system call. Meanwhile others of its kind are one with it, as they are for a slow machine.
class PutOffSignal {
 public:
  using Clock = std::chrono::steady_clock;

  /// One was recorded since `start`.
  void cost_since(Clock::time_point start);
  /// The thread is stopped by it. False when it is to be delivered now.
  bool puts_off(const LiveThread& thread, int signal);
  [[nodiscard]] bool is_waiting() const { return held_.has_value(); }
  /// Sends it when it has waited for long enough; the alarm is set again when it has not.
  void send_if_due(LiveThread& thread);
  void send(LiveThread& thread);
  void drop();

 private:
  void set_alarm();

  std::optional<HeldSignal> held_;
  std::unique_ptr<snapshot::TracerAlarm> alarm_;
  Clock::time_point due_;
};

}  // namespace icecore::replay

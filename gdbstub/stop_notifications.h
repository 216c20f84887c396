// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gdbstub/target/stop_reason.h"

namespace icecore::gdbstub {

/// The stops that a client in non-stop mode is told one by one: the first by a notification, each
/// further one in answer to vStopped, which also says that the one before has arrived.
class StopNotifications {
 public:
  /// Whether the client has been told of a stop and has not said yet that it knows.
  [[nodiscard]] bool is_outstanding() const { return is_outstanding_; }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  /// Its thread must not be resumed by an action that was sent before it was known.
  [[nodiscard]] bool holds(ThreadId thread) const;

  void add(StopEvent event);
  /// What to tell now, unless something is outstanding.
  std::optional<StopEvent> tell();
  /// vStopped: what to tell next.
  std::optional<StopEvent> acknowledge();
  /// `?`: all is told anew, beginning with what is returned.
  std::optional<StopEvent> restart(const std::vector<StopEvent>& events);
  void forget(std::int32_t pid);

 private:
  std::deque<StopEvent> queue_;  // its front is what is outstanding
  bool is_outstanding_ = false;
};

}  // namespace icecore::gdbstub

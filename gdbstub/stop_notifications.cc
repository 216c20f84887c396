// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/stop_notifications.h"

#include <algorithm>
#include <utility>

namespace icecore::gdbstub {

bool StopNotifications::holds(ThreadId thread) const {
  return std::ranges::any_of(queue_,
                             [&](const StopEvent& event) { return event.thread == thread; });
}

void StopNotifications::add(StopEvent event) { queue_.push_back(std::move(event)); }

std::optional<StopEvent> StopNotifications::tell() {
  if (is_outstanding_ || queue_.empty()) return std::nullopt;
  is_outstanding_ = true;
  return queue_.front();
}

std::optional<StopEvent> StopNotifications::acknowledge() {
  if (std::exchange(is_outstanding_, false) && !queue_.empty()) queue_.pop_front();
  return tell();
}

std::optional<StopEvent> StopNotifications::restart(const std::vector<StopEvent>& events) {
  queue_.assign(events.begin(), events.end());
  is_outstanding_ = false;
  return tell();
}

void StopNotifications::forget(std::int32_t pid) {
  // What is outstanding stays: the client answers it. Of a process that is gone only the end
  // counts.
  const auto first = queue_.begin() + (is_outstanding_ && !queue_.empty() ? 1 : 0);
  queue_.erase(std::remove_if(first, queue_.end(),
                              [&](const StopEvent& event) { return event.thread.pid == pid; }),
               queue_.end());
}

}  // namespace icecore::gdbstub

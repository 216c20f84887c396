// SPDX-License-Identifier: Apache-2.0
#include "replay/record/event_log.h"

#include <utility>

namespace icecore::replay {

void EventLog::append(Event event) {
  bytes_ += size_of(event);
  events_.push_back(std::move(event));
}

const Event* EventLog::find(std::uint64_t number) const {
  if (number < begin_ || number >= end()) return nullptr;
  return &events_[number - begin_];
}

void EventLog::forget_before(std::uint64_t number) {
  while (begin_ < number && !events_.empty()) {
    bytes_ -= size_of(events_.front());
    events_.pop_front();
    ++begin_;
  }
}

}  // namespace icecore::replay

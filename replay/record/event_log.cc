// SPDX-License-Identifier: Apache-2.0
#include "replay/record/event_log.h"

#include <utility>

namespace icecore::replay {

void EventLog::append(Event event) {
  bytes_ += size_of(event);
  const auto* taken = std::get_if<Interruption>(&event);
  if (taken != nullptr && taken->place == Interruption::Place::Anywhere) anywhere_.insert(end());
  events_.push_back(std::move(event));
}

const Event* EventLog::find(std::uint64_t number) const {
  if (number < begin_ || number >= end()) return nullptr;
  return &events_[number - begin_];
}

const Interruption* EventLog::interruption(std::uint64_t number) const {
  const Event* event = find(number);
  return event == nullptr ? nullptr : std::get_if<Interruption>(event);
}

std::uint64_t EventLog::next_anywhere(std::uint64_t number) const {
  const auto next = anywhere_.lower_bound(number);
  return next == anywhere_.end() ? end() : *next;
}

void EventLog::forget_before(std::uint64_t number) {
  while (begin_ < number && !events_.empty()) {
    bytes_ -= size_of(events_.front());
    events_.pop_front();
    anywhere_.erase(begin_);
    ++begin_;
  }
}

}  // namespace icecore::replay

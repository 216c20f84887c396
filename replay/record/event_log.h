// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>

#include "replay/record/event.h"

namespace icecore::replay {

/// The events of one process in their order. An event keeps its number when older ones are
/// forgotten.
class EventLog {
 public:
  void append(Event event);
  /// Number of the first event that is still held, and of the one that comes next.
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return begin_ + events_.size(); }
  /// Null when there is none (yet).
  [[nodiscard]] const Event* find(std::uint64_t number) const;
  /// The same when that is an interruption, else null.
  [[nodiscard]] const Interruption* interruption(std::uint64_t number) const;
  /// The first one at Place::Anywhere from `number` on; end() when there is none.
  [[nodiscard]] std::uint64_t next_anywhere(std::uint64_t number) const;
  /// Forgets all events before `number`.
  void forget_before(std::uint64_t number);
  /// Forgets all; the numbers go on.
  void clear() { forget_before(end()); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::deque<Event> events_;
  std::set<std::uint64_t> anywhere_;
  std::uint64_t begin_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace icecore::replay

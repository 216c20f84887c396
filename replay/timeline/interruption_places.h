// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "replay/timeline/moment.h"

namespace icecore::replay {

/// Where the interruptions lie that came in the middle of computation. When one comes nobody
/// counts; so a copy of the process from right behind it, its *witness*, is held until somebody
/// goes there, counting, and recognises the place.
class InterruptionPlaces {
 public:
  /// `number` is the event's.
  void expect(std::uint64_t number, MomentPointer witness) {
    witnesses_.insert_or_assign(number, std::move(witness));
  }
  void found(std::uint64_t number, const ExecutionPoint& point) {
    points_.insert_or_assign(number, point);
    witnesses_.erase(number);
  }
  [[nodiscard]] std::optional<ExecutionPoint> point(std::uint64_t number) const {
    const auto known = points_.find(number);
    return known == points_.end() ? std::nullopt : std::optional(known->second);
  }
  /// Null when there is none (any more).
  [[nodiscard]] MomentPointer witness(std::uint64_t number) const {
    const auto held = witnesses_.find(number);
    return held == witnesses_.end() ? nullptr : held->second;
  }
  [[nodiscard]] std::size_t witness_count() const { return witnesses_.size(); }
  void forget_before(std::uint64_t number) {
    points_.erase(points_.begin(), points_.lower_bound(number));
    witnesses_.erase(witnesses_.begin(), witnesses_.lower_bound(number));
  }

 private:
  std::map<std::uint64_t, ExecutionPoint> points_;
  std::map<std::uint64_t, MomentPointer> witnesses_;
};

}  // namespace icecore::replay

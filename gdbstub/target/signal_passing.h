// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

namespace icecore::gdbstub {

/// What becomes of signals, by Linux numbers. Each call replaces the set given before.
class SignalPassing {
 public:
  virtual ~SignalPassing() = default;
  /// Delivered at once, without a stop. Empty at first.
  virtual void pass_without_stop(const std::set<int>& signals) = 0;
  /// May be delivered when the target goes on by itself, as at detach; the others are dropped then.
  /// All signals at first.
  virtual void allow_delivery(const std::set<int>& signals) = 0;
};

}  // namespace icecore::gdbstub

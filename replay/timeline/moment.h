// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "replay/record/process_copy.h"
#include "replay/record/watched_memory.h"
#include "replay/translate/execution_point.h"

namespace icecore::replay {

/// Where in a recorded execution: so many events have happened, and since the last of them the
/// point was reached. Behind an event, transfers are 0 and pc is where it left the thread.
/// Positions of one execution are in its order.
struct Position {
  std::uint64_t events = 0;
  ExecutionPoint point;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// A position, as a stopped process that is there.
struct Moment {
  /// Ours, or null when it is the recorded process itself (the present).
  std::unique_ptr<ProcessCopy> process;
  int pid = 0;
  user_regs_struct registers{};  ///< as_seen()
  Position position;
  /// When it was the present; of checkpoints only.
  std::chrono::steady_clock::time_point time;
  /// When known: `steps` single steps lead here from there.
  std::shared_ptr<const Moment> origin;
  std::uint64_t steps = 0;
};

using MomentPointer = std::shared_ptr<const Moment>;

/// A stopped process on its way through the past.
struct Passing {
  int pid = 0;
  const TracedMemory& memory;
  user_regs_struct registers{};
};

/// What a debugger wants to stop at.
struct Goal {
  std::set<std::uint64_t> breakpoints;
  std::vector<WatchedMemory> watches{};
  /// Whether a visit to one of the breakpoints counts; null when each does.
  std::function<bool(const Passing&)> counts{};
};

}  // namespace icecore::replay

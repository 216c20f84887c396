// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "replay/translate/cache_memory.h"
#include "replay/translate/translated_run.h"

namespace icecore::replay {

/// Counts the transfers and visits that translated code notes in its process.
class TransferCounter {
 public:
  /// Since restart(), as of the last settle().
  [[nodiscard]] std::uint64_t transfers() const { return transfers_; }
  void add_transfer() { ++transfers_; }
  void remove_transfer() { --transfers_; }

  /// Lets the lanes run empty after no more than `budget` transfers, which is at least
  /// CacheLayout::kLanes, from now on. Written by the next flush of `memory`.
  void arm(CacheMemory& memory, std::uint64_t budget);
  /// Reads what was counted since then.
  void settle(const CacheMemory& memory);

  void restart();
  /// Replaces the recording places; their order is that of CacheLayout::visits().
  void set_places(CacheMemory* memory, const std::vector<std::uint64_t>& addresses);
  /// A visit that was not counted in the process.
  void visit(std::size_t place);
  [[nodiscard]] const std::vector<Visits>& visits() const { return visits_; }

 private:
  std::uint64_t transfers_ = 0;
  std::uint64_t armed_ = 0;  ///< in all lanes together when they were read or written last
  std::vector<Visits> visits_;
  std::vector<std::uint64_t> seen_;  ///< counts in the process as of the last settle()
};

}  // namespace icecore::replay

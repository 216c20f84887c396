// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "store/stored_objects.h"
#include "store/types.h"

namespace icecore::store {

/// Records that a damage has made unreadable.
struct LostObjects {
  std::set<std::uint32_t> segments;
  std::set<std::uint32_t> lists;
  std::set<FileId> files;
  std::set<std::pair<std::int64_t, std::uint64_t>> snapshots;  // recording id, number
};

/// The snapshots that need any of `lost`, by recording and number. `objects` is borrowed.
[[nodiscard]] std::vector<std::vector<SnapshotKey>> snapshots_needing(
    StoredObjects& objects, const std::vector<LostObjects>& lost);

}  // namespace icecore::store

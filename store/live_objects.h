// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <unordered_set>
#include <utility>

#include "store/reader_lease.h"
#include "store/recording_graph.h"
#include "store/stored_objects.h"
#include "store/types.h"

namespace icecore::store {

/// What must stay.
struct LiveObjects {
  std::unordered_set<std::uint32_t> lists;
  std::unordered_set<std::uint32_t> segments;
  std::set<FileId> files;
  std::set<std::pair<std::int64_t, std::uint64_t>> spaces;  // recording, space
  std::set<SnapshotId> snapshots;                           // in the index, or open in a reader
  std::set<std::int64_t> locked;                            // recordings with a living writer
};

/// Marks everything that a committed snapshot, an open reader or a living writer needs. Call it
/// inside the transaction that will delete the rest. Throws CorruptStore when a needed page list
/// cannot be read: nothing may be deleted then.
[[nodiscard]] LiveObjects mark_live_objects(const std::filesystem::path& store,
                                            SqliteConnection& index);

/// The segments that a page list refers to.
[[nodiscard]] std::vector<std::uint32_t> segments_of_list(StoredObjects& objects,
                                                          std::uint32_t list);

}  // namespace icecore::store

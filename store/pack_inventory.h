// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "store/pack_format.h"
#include "store/pending_rows.h"
#include "store/snapshot_record.h"

namespace icecore::store {

struct FoundSnapshot {
  SnapshotRecord record;  // without the model's bytes
  Locator locator;
};

/// Everything that lies in a store's packs, damaged records left out. Of two records of one thing
/// the one in the younger pack counts: the older one was copied by gc, or never committed.
struct PackInventory {
  std::filesystem::path directory;  // of the store
  std::optional<StoreUuid> store;
  std::map<std::uint64_t, std::uint64_t> packs;  // id, bytes
  std::map<std::uint32_t, PendingSegment> segments;
  std::map<std::uint32_t, PendingList> lists;
  std::map<std::uint32_t, std::vector<std::uint32_t>> segments_of_lists;
  std::map<FileId, PendingFile> files;
  std::map<std::pair<StoreUuid, std::uint64_t>, FoundSnapshot> snapshots;  // by recording, number
  std::uint32_t last_object = 0;
  std::vector<Damage> damages;
};

[[nodiscard]] PackInventory take_inventory(const std::filesystem::path& store);
/// The number in "00000012.pack"; 0 when it is not the name of a pack.
[[nodiscard]] std::uint64_t pack_number(const std::filesystem::path& file);

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

#include "store/live_objects.h"
#include "store/pack_sink.h"
#include "store/sqlite_connection.h"
#include "store/types.h"

namespace icecore::store {

/// Mark and sweep. One transaction marks what snapshots, readers and writers need and deletes all
/// other rows; writers wait for that long with their commits. Then packs of which less than half is
/// needed are copied record by record. A pack's file goes only after the index has forgotten it, so
/// that a death in between leaves nothing but a file without a row, which the next run removes.
class Collector {
 public:
  /// Borrows `index`.
  Collector(std::filesystem::path store, SqliteConnection& index);
  GarbageReport run();

 private:
  struct Pack {
    std::uint64_t id = 0;
    std::uint64_t live = 0;   // bytes of records that rows refer to
    std::uint64_t bytes = 0;  // on disk
  };

  std::vector<Pack> mark_and_forget();
  void forget_dead_rows(const LiveObjects& live);
  std::vector<Pack> list_packs(const std::set<std::int64_t>& locked);
  void remove_pack(const Pack& pack);
  void rewrite_sparse(const std::vector<Pack>& packs);
  void rewrite(const Pack& pack, PackSink& sink);
  void remove_orphans();
  [[nodiscard]] std::uint64_t bytes_on_disk() const;

  std::filesystem::path store_;
  SqliteConnection& index_;
  GarbageReport report_;
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "store/pack_writer.h"
#include "store/sqlite_connection.h"

namespace icecore::store {

/// Where one process appends its records: makes packs, rolls them when they are long, gives out
/// object ids, and takes back what a snapshot appended that did not come to be.
class PackSink {
 public:
  /// Borrows `index`. `recording` is the owner in the index, 0 for gc.
  PackSink(std::filesystem::path store, SqliteConnection& index, std::int64_t recording);

  [[nodiscard]] std::uint32_t next_object();
  /// The pack to append one record to.
  [[nodiscard]] PackWriter& pack();
  /// Bytes appended since begin().
  [[nodiscard]] std::uint64_t appended() const;

  void begin();
  /// fdatasync of everything since begin().
  void sync();
  /// Inside the caller's transaction: the index learns how long the packs are.
  void update_index();
  /// Forgets everything since begin().
  void roll_back() noexcept;

 private:
  void open_pack();
  void discard(const PackWriter& pack) noexcept;

  std::filesystem::path store_;
  SqliteConnection& index_;
  std::int64_t recording_;
  StoreUuid uuid_;
  std::uint64_t next_object_ = 0;
  std::uint64_t end_object_ = 0;
  // The packs that the current snapshot appended to: the last one is still open for more.
  std::vector<std::unique_ptr<PackWriter>> packs_;
  std::uint64_t size_at_begin_ = 0;  // of the first; 0 when it is younger than begin()
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite_connection.h"
#include "store/types.h"

namespace icecore::store {

/// What the index says about recordings and snapshots. Borrows its connection.
class Catalog {
 public:
  explicit Catalog(SqliteConnection& index) : index_(index) {}

  [[nodiscard]] std::vector<RecordingSummary> recordings() const;
  [[nodiscard]] std::vector<SnapshotSummary> snapshots(std::string_view recording) const;
  [[nodiscard]] std::vector<SkippedSnapshot> skips(std::string_view recording) const;
  [[nodiscard]] SnapshotSummary summary(const SnapshotKey& key) const;
  [[nodiscard]] bool has_file(const FileId& id) const;
  [[nodiscard]] std::string unused_name(std::string_view base) const;

  /// Throws, naming those that are near, when there is none.
  [[nodiscard]] std::int64_t recording_id(std::string_view recording) const;
  [[nodiscard]] std::optional<std::int64_t> find_recording(std::string_view recording) const;
  /// The recording that was last written to and has a snapshot.
  [[nodiscard]] std::string newest_recording() const;
  /// Ascending.
  [[nodiscard]] std::vector<std::uint64_t> numbers(std::string_view recording) const;
  /// The error for a snapshot that is not there.
  [[noreturn]] void no_such_snapshot(const SnapshotKey& key) const;

  void set_tag(const SnapshotKey& key, std::string_view tag);
  void remove(std::span<const SnapshotKey> keys);
  void remove_recording(std::string_view recording);

 private:
  void remove_one(const SnapshotKey& key);

  SqliteConnection& index_;
};

}  // namespace icecore::store

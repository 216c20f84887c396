// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/stored_snapshot.h"
#include "store/snapshot_reader.h"
#include "store/store.h"
#include "store/types.h"

namespace icecore::snapshot {

/// The snapshots among which a view travels.
class SnapshotSequence {
 public:
  virtual ~SnapshotSequence() = default;

  /// The line of history through `key`, oldest first: what it continues, and what continued it.
  /// Asked anew for every move, so that snapshots committed meanwhile are seen.
  [[nodiscard]] virtual std::vector<store::SnapshotSummary> line(
      const store::SnapshotKey& key) const = 0;
  /// The whole snapshot.
  [[nodiscard]] virtual std::shared_ptr<const StoredSnapshot> open(
      const store::SnapshotKey& key) const = 0;
  /// Its pages only: much cheaper.
  [[nodiscard]] virtual store::SnapshotReader read(const store::SnapshotKey& key) const = 0;
  /// What a person typed behind NAME@: a number, a tag, a time. Throws Error when there is none.
  [[nodiscard]] virtual store::SnapshotKey resolve(std::string_view text) const = 0;
};

/// The snapshots of one recording in a store, which must outlive this and what open() returns.
class RecordingSequence : public SnapshotSequence {
 public:
  RecordingSequence(const store::Store& store, std::string recording);

  [[nodiscard]] std::vector<store::SnapshotSummary> line(
      const store::SnapshotKey& key) const override;
  [[nodiscard]] std::shared_ptr<const StoredSnapshot> open(
      const store::SnapshotKey& key) const override;
  [[nodiscard]] store::SnapshotReader read(const store::SnapshotKey& key) const override;
  [[nodiscard]] store::SnapshotKey resolve(std::string_view text) const override;

 private:
  const store::Store& store_;
  std::string recording_;
};

/// Of all snapshots of a recording, ascending by number, those on the line through `number`. Where
/// a snapshot's parent is gone, or it was taken by another run of icecore and has none, the nearest
/// older one takes its place; where two snapshots continue
/// the same one, the older continuation is followed.
[[nodiscard]] std::vector<store::SnapshotSummary> line_through(
    const std::vector<store::SnapshotSummary>& all, std::uint64_t number);

}  // namespace icecore::snapshot

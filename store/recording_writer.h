// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/types.h"

namespace icecore::store {

class SnapshotWriter;

/// The only writer of one recording; the lock goes with the object or the process. May be used from
/// a thread other than the one that made it, by one thread at a time.
class RecordingWriter {
 public:
  RecordingWriter(RecordingWriter&&) noexcept;
  RecordingWriter& operator=(RecordingWriter&&) noexcept;
  ~RecordingWriter();

  [[nodiscard]] const std::string& name() const;
  /// Shown by `list`; takes effect with the next commit.
  void describe(std::string_view command, std::int32_t root_pid);

  /// A space that no snapshot of this recording has used.
  [[nodiscard]] SpaceId new_space();
  /// A space that begins as `parent` is in snapshot `number` (a branch).
  [[nodiscard]] SpaceId new_space(SpaceId parent, std::uint64_t number);

  /// Begins the next snapshot. At most one at a time; nothing of it is visible before commit().
  [[nodiscard]] SnapshotWriter begin();
  /// The number that the next commit() will give.
  [[nodiscard]] std::uint64_t next_number() const;

  /// Records that a due snapshot was not taken, and why.
  void skip(std::int64_t realtime_ns, std::string_view reason);

 private:
  friend class Store;
  friend class SnapshotWriter;
  class Impl;
  explicit RecordingWriter(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// One snapshot being written. Destroying it without commit() leaves nothing visible.
class SnapshotWriter {
 public:
  SnapshotWriter(SnapshotWriter&&) noexcept;
  SnapshotWriter& operator=(SnapshotWriter&&) noexcept;
  ~SnapshotWriter();

  [[nodiscard]] std::uint64_t number() const;

  /// Adds what changed of `space` since the parent snapshot; pages that turn out equal to the
  /// parent's cost nothing. Once per space. Not listing a space keeps it as it was.
  void write_pages(SpaceId space, std::span<const PageRun> runs);

  /// Says that this snapshot has these spaces and no others: the rest end here and cannot be
  /// written again, so that gc can give back what only older snapshots need. Once, at any time
  /// before commit(); without it every space goes on.
  void end_other_spaces(std::span<const SpaceId> spaces);

  /// Keeps the content of the regular file open at `fd`, and ties it to this snapshot. Known
  /// content is not stored twice, and a file with a known `identity` is not even read.
  FileId add_file(int fd, const FileIdentity& identity);
  /// Ties content that is in the store already to this snapshot.
  void add_file(const FileId& id);

  /// Makes the snapshot durable and visible: pack, fdatasync, index commit. `record` is the model's
  /// bytes. summary.key.number and stored_bytes are filled by the store. Returns the number.
  std::uint64_t commit(SnapshotSummary summary, std::span<const std::byte> record,
                       std::span<const ProcessRow> processes);

 private:
  friend class RecordingWriter;
  class Impl;
  explicit SnapshotWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace icecore::store

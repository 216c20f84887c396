// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace icecore::store {

inline constexpr std::size_t kPageSize = 4096;

/// A line of pages through a recording: one address space, or one shared memory object. Its pages
/// are numbered by address / 4096, or by offset / 4096. Unique within a recording and never used
/// again.
enum class SpaceId : std::uint64_t {};

/// BLAKE3 of a file's content: the file's name in the store.
struct FileId {
  std::array<std::byte, 32> hash{};
  auto operator<=>(const FileId&) const = default;
};

/// Which file on disk a content came from, so that an unchanged file is not read again.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

struct SnapshotKey {
  std::string recording;
  std::uint64_t number = 0;
  auto operator<=>(const SnapshotKey&) const = default;
  /// "NAME@3"
  [[nodiscard]] std::string text() const { return recording + "@" + std::to_string(number); }
};

/// What queries and `list` show of a snapshot; the rest is in its record. Times in ns, *_us in us.
struct SnapshotSummary {
  SnapshotKey key;
  std::uint64_t parent = 0;  ///< number of the snapshot it continues, 0 for none
  std::string tag;
  std::string cause;  ///< "periodic", "requested", "crash"
  std::int64_t realtime_ns = 0;
  std::int64_t monotonic_ns = 0;
  bool complete = true;  ///< false when something could not be held (see its limitations)
  std::uint32_t processes = 0;
  std::uint32_t threads = 0;
  std::uint64_t dirty_bytes = 0;
  std::uint64_t stored_bytes = 0;  ///< what this snapshot added to the packs; filled by the store
  std::uint64_t freeze_us = 0;
  std::uint64_t dump_us = 0;
  std::uint64_t resume_us = 0;
  std::uint64_t pause_us = 0;
};

/// Rows for `sqlite3 index.db`, so that history can be asked without decoding records.
struct ProcessRow {
  std::int32_t pid = 0;
  std::int32_t parent_pid = 0;
  std::string comm;
  std::string executable;
  std::uint32_t threads = 0;
  std::uint32_t mappings = 0;
  std::uint32_t descriptors = 0;
};

struct RecordingSummary {
  std::string name;
  std::string command;  ///< what was run or attached to, for people
  std::int32_t root_pid = 0;
  std::int64_t created_ns = 0;  ///< realtime
  std::uint64_t snapshots = 0;
  std::uint64_t first = 0;  ///< lowest number that still exists, 0 for none
  std::uint64_t last = 0;
  std::int64_t last_ns = 0;  ///< realtime of the last snapshot
  std::uint64_t stored_bytes = 0;
};

struct SkippedSnapshot {
  std::int64_t realtime_ns = 0;
  std::string reason;
};

/// One run of equal treatment in what changed of a space, in ascending order without overlap.
struct PageRun {
  enum class Kind {
    Data,    ///< `data` holds count * 4096 bytes: the pages' content now
    Absent,  ///< no content of their own any more: a reader falls back to the file, else to zero
    CopyOf,  ///< as `source` has them in this same snapshot, which must be written first
  };
  Kind kind = Kind::Data;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  const std::byte* data = nullptr;
  SpaceId source{};  ///< CopyOf: source page = same page number in this space
};

/// The identity of one page's content at one snapshot: equal versions mean equal content; different
/// versions may still be equal (compare the bytes).
struct PageVersion {
  enum class Kind : std::uint8_t { Absent, Zero, Stored };
  Kind kind = Kind::Absent;
  std::uint32_t segment = 0;
  std::uint32_t index = 0;
  auto operator<=>(const PageVersion&) const = default;
};

/// [first, first + count) pages.
struct PageRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

struct GarbageReport {
  std::uint64_t packs_removed = 0;
  std::uint64_t packs_rewritten = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

struct Damage {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
  std::vector<SnapshotKey> snapshots;  ///< those that need the damaged bytes
};

struct VerifyReport {
  std::uint64_t snapshots = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pages = 0;
  std::vector<Damage> damages;
};

struct RebuildReport {
  std::uint64_t recordings = 0;
  std::uint64_t snapshots = 0;
  std::vector<Damage> damages;
};

}  // namespace icecore::store

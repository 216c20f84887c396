// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "store/types.h"

namespace icecore::store {

/// One committed snapshot, open for reading: page P costs microseconds for any snapshot. Stays
/// valid beside gc and rm. Copies are cheap; one thread at a time.
class SnapshotReader {
 public:
  [[nodiscard]] const SnapshotKey& key() const;
  /// The model's bytes, as given to commit().
  [[nodiscard]] std::vector<std::byte> record() const;

  /// Copies page `page` of `space` into `out` (4096 bytes). Absent leaves `out` alone. Throws Error
  /// (naming pack and offset) when the stored bytes are damaged.
  PageVersion::Kind read_page(SpaceId space, std::uint64_t page, std::span<std::byte> out) const;
  /// The bytes of pages from `page` on, at most `most`, that lie in the store as they are; empty
  /// when `page` does not. Valid until the next call. Throws as read_page().
  [[nodiscard]] std::span<const std::byte> raw_pages(SpaceId space, std::uint64_t page,
                                                     std::uint64_t most) const;
  [[nodiscard]] PageVersion version(SpaceId space, std::uint64_t page) const;
  /// Pages inside `range` whose content in `space` is, or may be, another than in `other`, as
  /// ascending runs.
  [[nodiscard]] std::vector<PageRange> differing(SpaceId space, SpaceId other,
                                                 PageRange range) const;
  /// All pages of `space` inside `range` that are not absent, as ascending runs.
  [[nodiscard]] std::vector<PageRange> present(SpaceId space, PageRange range) const;
  /// Pages of `space` whose version differs between this snapshot and `other`, as ascending runs.
  /// Both must be of one recording.
  [[nodiscard]] std::vector<PageRange> changed(SpaceId space, const SnapshotReader& other) const;

 private:
  friend class Store;
  class Impl;
  explicit SnapshotReader(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

/// A file kept by content. One thread at a time.
class StoredFile {
 public:
  [[nodiscard]] const FileId& id() const;
  [[nodiscard]] std::uint64_t size() const;
  /// Reads at `offset`; short only at the end of the file. Throws Error when the bytes are damaged.
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  friend class Store;
  class Impl;
  explicit StoredFile(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/mapped_region.h"
#include "replay/restore/page_source.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// images/NAME.memory: the pages of an image's processes as they are, made from the snapshot, so
/// that a start copies them out of the page cache. A page of 4 KiB with a header, a table of runs,
/// the pages; all aligned to 4 KiB:
///
///     magic "ICEMEM1\n", u64 snapshot number, u64 number of runs, BLAKE3 of all that follows it
///     per run: u64 space, u64 first page, u64 count, u64 offset in the file
///
/// Zero pages are left out. Its hash is checked at the first start after each boot, and whenever
/// the file is another; NAME.verified says which file was found sound.
class RawMemory : public PageSource {
 public:
  /// Null when there is none for this snapshot, or it is damaged: the store has all of it too.
  static std::unique_ptr<RawMemory> open(const std::filesystem::path& file,
                                         const std::filesystem::path& verified,
                                         std::uint64_t number);

  [[nodiscard]] std::span<const std::byte> pages(std::uint64_t space,
                                                 std::uint64_t page) const override;
  /// Where the page is in the file; nullopt when it is not.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t space,
                                                       std::uint64_t page) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  struct Run {
    std::uint64_t space = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t offset = 0;
  };
  RawMemory(std::filesystem::path path, MappedRegion file)
      : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] bool read_table(std::uint64_t number);
  [[nodiscard]] bool is_sound() const;

  std::filesystem::path path_;
  MappedRegion file_;
  std::vector<Run> runs_;  ///< by space and first page
};

/// Makes the file, replacing an older one. Throws Error.
void write_raw_memory(const snapshot::StoredSnapshot& snapshot, const std::filesystem::path& file);

}  // namespace icecore::replay

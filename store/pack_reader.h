// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_region.h"
#include "store/pack_format.h"
#include "store/pack_writer.h"

namespace icecore::store {

/// One record as it lies in a pack; borrows the pack's mapping.
struct PackRecord {
  Locator locator;
  RecordHeader header;
  std::span<const std::byte> body;
  [[nodiscard]] bool is_whole() const { return digest_of(body) == header.digest; }
};

/// Walks the records in the bytes of a pack (pack header included). Damage is reported, and the
/// walk goes on at the next sound header.
void scan_pack(std::span<const std::byte> bytes, std::uint64_t pack,
               const std::function<void(const PackRecord&)>& on_record,
               const std::function<void(std::uint64_t offset, const std::string& what)>& on_damage);

/// One pack, mapped; it holds no descriptor, so that a store may have many. An unlinked pack stays
/// readable through it.
class PackReader {
 public:
  /// Throws CorruptStore when it has no sound header, Error when a newer icecore wrote it.
  PackReader(const std::filesystem::path& store, std::uint64_t pack);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const PackHeader& header() const { return header_; }
  /// It is the file that its writer left in this life of the machine (written_note()).
  [[nodiscard]] bool is_as_written() const { return as_written_; }
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// True when the mapping reaches to `end`; looks anew when the file has grown. Spans that were
  /// given out before stay valid.
  bool reach(std::uint64_t end);
  /// The record at `locator`, its header checked, its body not.
  [[nodiscard]] PackRecord record(const Locator& locator, RecordType type) const;
  /// The bytes of the record at `locator`, header and padding included, its body compared with its
  /// checksum.
  [[nodiscard]] std::span<const std::byte> whole_record(const Locator& locator) const;

 private:
  [[nodiscard]] PackRecord sound_record(const Locator& locator) const;

  std::string file_;
  std::filesystem::path note_;
  bool as_written_ = false;
  std::vector<MappedRegion> regions_;  // the last one counts; records borrow from older ones
  std::uint64_t size_ = 0;             // of the file; the mapping may be longer
  PackHeader header_;
};

}  // namespace icecore::store

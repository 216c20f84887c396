// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "store/pack_reader.h"
#include "store/segment_format.h"

namespace icecore::store {

/// Random access to the pages of one stored segment. Keeps its pack open.
class SegmentReader {
 public:
  /// `pack` may be null when the record's bytes lie in no file. Throws CorruptStore when the body's
  /// tables do not fit together.
  SegmentReader(std::shared_ptr<const PackReader> pack, const PackRecord& record);

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] std::uint32_t pages() const { return pages_; }
  [[nodiscard]] std::uint32_t bases() const { return bases_; }
  /// The segment id behind a base slot.
  [[nodiscard]] std::uint32_t base(std::uint32_t slot) const;
  [[nodiscard]] const Locator& locator() const { return locator_; }

  [[nodiscard]] DirectoryEntry entry(std::uint32_t index) const;
  [[nodiscard]] std::span<const std::byte> payload(std::uint32_t index) const;
  /// Pages from `index` on, at most `most`, that are raw and so lie one behind the other.
  [[nodiscard]] std::span<const std::byte> raw_run(std::uint32_t index, std::uint64_t most) const;
  /// Its pack is as its writer left it.
  [[nodiscard]] bool is_as_written() const { return pack_ != nullptr && pack_->is_as_written(); }
  [[noreturn]] void damaged(const std::string& what) const;

 private:
  [[nodiscard]] std::uint16_t packed_length(std::uint32_t index) const;

  std::shared_ptr<const PackReader> pack_;
  Locator locator_;
  std::uint32_t id_ = 0;
  std::uint32_t pages_ = 0;
  std::uint32_t bases_ = 0;
  std::span<const std::byte> base_table_;
  std::span<const std::byte> offsets_;
  std::span<const std::byte> directory_;
  std::span<const std::byte> payload_;
};

}  // namespace icecore::store

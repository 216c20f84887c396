// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "store/pack_writer.h"
#include "store/segment_format.h"

namespace icecore::store {

/// Where one stored page is.
struct PageRef {
  std::uint32_t segment = 0;
  std::uint32_t index = 0;
  auto operator<=>(const PageRef&) const = default;
};

/// Collects encoded pages until they are a segment.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(std::uint32_t id);

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] std::uint32_t pages() const { return static_cast<std::uint32_t>(entries_.size()); }
  [[nodiscard]] bool is_full() const;
  /// The ids of segments that deltas of this one refer to.
  [[nodiscard]] std::span<const std::uint32_t> bases() const { return bases_; }

  /// Returns the page's index. `base` counts for a delta only.
  std::uint32_t add(const EncodedPage& page, const PageHash& hash, PageRef base);
  Locator append_to(PackWriter& pack) const;

 private:
  std::uint32_t id_;
  std::vector<DirectoryEntry> entries_;
  std::vector<std::uint32_t> bases_;
  std::unordered_map<std::uint32_t, std::uint16_t> slots_;
  std::vector<std::byte> payload_;
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "store/digest.h"
#include "store/page_codec.h"

namespace icecore::store {

/// A segment's body: counts, base segments, offsets, directory, payload. docs/store-format.md.
inline constexpr std::size_t kSegmentHeaderSize = 16;
inline constexpr std::size_t kDirectoryEntrySize = 24;
/// Every so many pages the payload offset is written down; between them lengths are added up.
inline constexpr std::uint32_t kPagesPerOffset = 32;
/// A page's base is a 16-bit slot in the table of base segments.
inline constexpr std::uint32_t kMaxPagesPerSegment = 65535;
/// A segment is written out when its payload is about this long, so that a writer's memory is
/// bounded.
inline constexpr std::size_t kPayloadToFlush = 16U << 20U;

/// One page of the directory.
struct DirectoryEntry {
  PageHash hash{};
  PageEncoding encoding = PageEncoding::Raw;
  std::uint16_t length = 0;      // of the payload; a raw page has 4096
  std::uint32_t base_index = 0;  // DeltaLz4: the base page's index in its segment
  std::uint16_t base_slot = 0;   // DeltaLz4: which base segment
};

}  // namespace icecore::store

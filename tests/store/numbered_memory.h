// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/types.h"

namespace icecore::store::test {

/// Memory of which every byte follows from the number of its snapshot, so that another process can
/// tell what it should be. Pages 0 to 31 change each time, the others with every fourth snapshot.
inline constexpr std::uint32_t kNumberedPages = 96;

inline std::byte numbered_byte(std::uint64_t number, std::uint64_t page, std::size_t at) {
  const std::uint64_t since = page < 32 ? number : number / 4 * 4;
  const bool varies = at % 64 == since % 64;
  return std::byte(static_cast<unsigned char>(varies ? since : page * 7 + at % 5));
}

inline std::vector<std::byte> numbered_memory(std::uint64_t number) {
  std::vector<std::byte> bytes(kNumberedPages * kPageSize);
  for (std::uint64_t page = 0; page < kNumberedPages; ++page) {
    for (std::size_t at = 0; at < kPageSize; ++at) {
      bytes[page * kPageSize + at] = numbered_byte(number, page, at);
    }
  }
  return bytes;
}

}  // namespace icecore::store::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace icecore::replay {

// The layout of images/NAME.memory; raw_memory.h has the grammar. Little-endian.
inline constexpr std::array<char, 8> kRawMemoryMagic{'I', 'C', 'E', 'M', 'E', 'M', '1', '\n'};
inline constexpr std::size_t kRawMemoryHeader = 4096;
inline constexpr std::size_t kRawMemoryDigest = 24;  ///< where it is in the header

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::replay {

/// What the code in the cache keeps in the process, in one mapping below 2 GiB so that it is
/// addressed absolutely, without a register.
///
/// Transfers are counted down in *lanes*, blocks taking turns: a decrement of one word must wait
/// for the store of the one before, which costs 1.75 ns each (measured on Zen 5), and eight words
/// take most of that away. The count is what all lanes have lost together.
struct CacheLayout {
  static constexpr std::uint32_t kLanes = 8;
  static constexpr std::uint32_t kMostPlaces = 256;
  /// Targets of indirect jumps are looked up by their low 16 bits.
  static constexpr std::uint64_t kTableRows = 65536;
  static constexpr std::uint64_t kTableOffset = 32768;

  std::uint64_t base = 0;

  [[nodiscard]] std::uint64_t rcx() const { return base; }
  [[nodiscard]] std::uint64_t rax() const { return base + 8; }
  /// Where an indirect jump is going.
  [[nodiscard]] std::uint64_t target() const { return base + 16; }
  /// rcx before the newest `rep` instruction.
  [[nodiscard]] std::uint64_t rep_count() const { return base + 24; }
  /// The low 32 bits of where in the cache the newest indirect transfer was.
  [[nodiscard]] std::uint64_t origin() const { return base + 32; }
  [[nodiscard]] std::uint64_t lane(std::uint32_t index) const { return base + 64 + 8ULL * index; }
  /// Per recording place: count of visits, then the lanes at the newest.
  static constexpr std::uint64_t kVisitWords = 1 + kLanes;
  [[nodiscard]] std::uint64_t visits(std::size_t place) const {
    return base + 256 + place * kVisitWords * 8;
  }
  [[nodiscard]] std::uint64_t table() const { return base + kTableOffset; }
  static constexpr std::uint64_t kSize = kTableOffset + kTableRows * 8;
};
static_assert(256 + CacheLayout::kMostPlaces * CacheLayout::kVisitWords * 8 <=
              CacheLayout::kTableOffset);

}  // namespace icecore::replay

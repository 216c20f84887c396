// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/memory_walk.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "gdbstub/hex.h"
#include "gdbstub/reply.h"
#include "gdbstub/target/memory_regions.h"

namespace icecore::gdbstub {
namespace {

constexpr std::size_t kPiece = 1U << 20U;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i << 24U;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 0x80000000U) != 0 ? value << 1U ^ 0x04c11db7U : value << 1U;
    }
    table[i] = value;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

std::uint64_t end_of(std::uint64_t address, std::uint64_t size) {
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - address;
  return address + std::min(size, room);
}

}  // namespace

std::optional<std::uint64_t> MemoryWalk::next_readable(std::uint64_t address) const {
  MemoryRegions* regions = target_.memory_regions();
  if (regions == nullptr) return std::nullopt;
  for (const MemoryRegion& region : regions->regions(pid_)) {
    if (region.start > address) return region.start;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> MemoryWalk::find(std::uint64_t address, std::uint64_t size,
                                              std::span<const std::byte> pattern) const {
  const std::uint64_t end = end_of(address, size);
  const std::size_t overlap = pattern.size() - 1;
  std::vector<std::byte> piece(kPiece + overlap);
  while (address < end && end - address >= pattern.size()) {
    const auto wanted =
        std::span(piece).first(std::min<std::uint64_t>(piece.size(), end - address));
    const std::size_t got = target_.read_memory(pid_, address, wanted);
    const auto bytes = wanted.first(got);
    const auto found = std::search(bytes.begin(), bytes.end(), pattern.begin(), pattern.end());
    if (found != bytes.end()) {
      return address + static_cast<std::uint64_t>(found - bytes.begin());
    }
    if (got == wanted.size()) {
      address += got - overlap;
      continue;
    }
    const auto next = next_readable(address + got);
    if (!next) return std::nullopt;
    address = *next;
  }
  return std::nullopt;
}

std::uint32_t MemoryWalk::crc32(std::uint64_t address, std::uint64_t size) const {
  const std::uint64_t end = end_of(address, size);
  std::vector<std::byte> piece(std::min<std::uint64_t>(kPiece, size));
  std::uint32_t crc = 0xffffffffU;
  while (address < end) {
    const auto wanted =
        std::span(piece).first(std::min<std::uint64_t>(piece.size(), end - address));
    if (target_.read_memory(pid_, address, wanted) != wanted.size()) {
      throw MemoryError("no memory somewhere from 0x" + hex_number(address) + " on");
    }
    for (const std::byte byte : wanted) {
      crc = crc << 8U ^ kCrcTable.at((crc >> 24U ^ std::to_integer<unsigned>(byte)) & 0xffU);
    }
    address += wanted.size();
  }
  return crc;
}

}  // namespace icecore::gdbstub

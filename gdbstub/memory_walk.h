// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gdbstub/target/target.h"

namespace icecore::gdbstub {

/// Goes over long stretches of one process's memory piece by piece.
class MemoryWalk {
 public:
  MemoryWalk(Target& target, std::int32_t pid) : target_(target), pid_(pid) {}

  /// The first place in [address, address + size) where `pattern` lies wholly inside. Memory that
  /// is not readable is passed over when the target can tell its mappings, else ends the search.
  [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t address, std::uint64_t size,
                                                  std::span<const std::byte> pattern) const;
  /// gdb's checksum (polynomial 0x04c11db7, not reflected). Throws MemoryError at a byte that is
  /// not readable.
  [[nodiscard]] std::uint32_t crc32(std::uint64_t address, std::uint64_t size) const;

 private:
  [[nodiscard]] std::optional<std::uint64_t> next_readable(std::uint64_t address) const;

  Target& target_;
  std::int32_t pid_;
};

}  // namespace icecore::gdbstub

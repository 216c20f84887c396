// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "replay/restore/address_map.h"
#include "replay/translate/cache_layout.h"

namespace icecore::replay {

/// A mapping for translated code, from its start on. Copies of code that refers to data relative
/// to itself must lie within 2 GiB of that data, so there is one near the program and one near its
/// libraries.
struct Arena {
  static constexpr std::uint64_t kSize = std::uint64_t{32} << 20U;
  /// At its start: an int3, and room for one precise block.
  static constexpr std::uint64_t kScratch = 64;
  static constexpr std::uint64_t kFirstBlock = 8192;

  std::uint64_t base = 0;
  std::uint64_t used = kFirstBlock;

  [[nodiscard]] std::uint64_t next() const { return base + used; }
  [[nodiscard]] bool contains(std::uint64_t address) const {
    return address >= base && address < base + kSize;
  }
};

/// The mappings of a code cache inside a stopped process, made by system calls that its thread runs
/// and undone by them. What is written is collected until flush().
class CacheMemory {
 public:
  /// Maps what CacheLayout describes. Throws Refused when there is no room.
  CacheMemory(int tid, std::vector<AddressRange> keep_free);
  CacheMemory(const CacheMemory&) = delete;
  CacheMemory& operator=(const CacheMemory&) = delete;
  /// The thread must be stopped, or gone.
  ~CacheMemory();

  [[nodiscard]] const CacheLayout& layout() const { return layout_; }
  /// The arena for code at `pc`, mapped when it is needed first.
  Arena& arena_near(std::uint64_t pc);
  [[nodiscard]] std::deque<Arena>& arenas() { return arenas_; }
  [[nodiscard]] bool contains(std::uint64_t address) const;
  /// The int3 for targets that are in no row of the table: exists once there is an arena.
  [[nodiscard]] std::uint64_t miss() const { return arenas_.front().base; }

  void write(std::uint64_t address, std::span<const std::uint8_t> bytes);
  void write_word(std::uint64_t address, std::uint64_t value);
  /// All that was written is in the process afterwards.
  void flush();
  /// Words of the CacheLayout, as they are now.
  void read(std::uint64_t address, std::span<std::uint64_t> words) const;
  /// Every row of the table leads to miss() again, when it is needed next.
  void clear_table() { table_is_clear_ = false; }
  /// To be called before code that uses the table is made.
  void need_table();

 private:
  void map(std::uint64_t address, std::uint64_t size, int protection);

  int tid_;
  std::vector<AddressRange> taken_;
  std::uint64_t instruction_;  ///< of a system call
  CacheLayout layout_;
  std::deque<Arena> arenas_;
  bool table_is_clear_ = false;
  struct Piece {
    std::uint64_t address;
    std::size_t offset;
    std::size_t size;
  };
  std::vector<Piece> pieces_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>

#include "base/unique_fd.h"

namespace icecore::replay {

class TrapGuard;

/// The memory of one address space under a debugger, with the breakpoint instructions (traps) that
/// we have put into it: readers never see them, writers never overwrite them. Several processes may
/// share it (vfork), so that a trap has holders.
class LiveMemory {
 public:
  /// Opens /proc/PID/mem, which stays with this address space even when `pid` executes another
  /// program. Throws Error when it cannot be opened.
  /// `guard` is told of every trap; null for none, must outlive this.
  explicit LiveMemory(int pid, TrapGuard* guard = nullptr);

  /// How many bytes from `address` on could be read; those before the first unmapped page.
  std::size_t read(std::uint64_t address, std::span<std::byte> out) const;
  /// All bytes or it throws. Read-only mappings can be written too.
  void write(std::uint64_t address, std::span<const std::byte> bytes);

  void insert_trap(std::uint64_t address, int holder);
  /// The instruction is whole again with the last holder; removing what is not there is no error.
  void remove_trap(std::uint64_t address, int holder);
  void remove_traps(int holder);
  [[nodiscard]] bool has_trap(std::uint64_t address) const { return traps_.contains(address); }

  /// The memory is the copy of another one that fork has made, traps included: takes them out.
  void clean_copy_of(const LiveMemory& original);

  /// While it lives, the instruction at `address` is whole.
  class Lift {
   public:
    Lift(LiveMemory& memory, std::uint64_t address);
    Lift(const Lift&) = delete;
    Lift& operator=(const Lift&) = delete;
    ~Lift();

   private:
    LiveMemory& memory_;
    std::uint64_t address_;
  };

 private:
  struct Trap {
    std::byte original{};
    std::set<int> holders;
  };
  [[nodiscard]] bool write_raw(std::uint64_t address, std::span<const std::byte> bytes) const;
  /// Best effort: memory that is gone needs no trap, and none taken out.
  void put(std::uint64_t address, std::byte value) const;

  int pid_;
  UniqueFd file_;
  TrapGuard* guard_;
  std::map<std::uint64_t, Trap> traps_;
};

}  // namespace icecore::replay

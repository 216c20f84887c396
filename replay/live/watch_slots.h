// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gdbstub/target/breakpoints.h"

namespace icecore::replay {

/// The four debug registers of amd64, as all threads of one process have them. Pure arithmetic: who
/// changes it writes registers() into the threads. (AMD64 Architecture Programmer's Manual, volume
/// 2, 13.1.1.)
class WatchSlots {
 public:
  /// Throws Error when the registers cannot hold it beside the others.
  void insert(const gdbstub::Breakpoint& breakpoint);
  void remove(const gdbstub::Breakpoint& breakpoint);
  void clear();
  [[nodiscard]] bool empty() const;
  /// Whether one begins at `address`.
  [[nodiscard]] bool has(std::uint64_t address) const;

  struct Registers {
    std::array<std::uint64_t, 4> addresses{};
    std::uint64_t control = 0;  ///< DR7
  };
  [[nodiscard]] Registers registers() const;
  /// Which one the status register (DR6) of a thread says was hit.
  [[nodiscard]] std::optional<gdbstub::Breakpoint> hit(std::uint64_t status) const;

 private:
  struct Slot {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< 1, 2, 4 or 8; 0 while it is free
    std::vector<gdbstub::Breakpoint> users;
  };
  [[nodiscard]] std::optional<std::size_t> find(const gdbstub::Breakpoint& user,
                                                std::uint64_t address, std::uint64_t size) const;
  std::array<Slot, 4> slots_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace icecore::replay {

/// An instruction in the execution of one thread. A *transfer* is a retired control-transfer
/// instruction: a conditional jump, taken or not, a jump, a call, a return, a loop; system calls,
/// signals and traps are none. Between two transfers every pc occurs once, so (transfers, pc) is
/// unique from one event (system call, signal) to the next, and points of one such stretch are in
/// the order of execution.
struct ExecutionPoint {
  std::uint64_t transfers = 0;  ///< since TranslatedRun::restart_count()
  std::uint64_t pc = 0;         ///< of the instruction that is next
  /// When that is a `rep` instruction: how many of its repetitions are done.
  std::uint64_t rep_done = 0;

  friend auto operator<=>(const ExecutionPoint&, const ExecutionPoint&) = default;
};

/// Eight bytes of the program's memory, at an address that is a multiple of eight.
struct MemoryWord {
  std::uint64_t address = 0;
  std::uint64_t value = 0;

  friend bool operator==(const MemoryWord&, const MemoryWord&) = default;
};

}  // namespace icecore::replay

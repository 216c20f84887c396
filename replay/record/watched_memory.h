// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replay/record/process_copy.h"

namespace icecore::replay {

/// Bytes whose change, or any access to which, shall stop a process.
struct WatchedMemory {
  enum class Kind { Change, Access };
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  Kind kind = Kind::Change;
  auto operator<=>(const WatchedMemory&) const = default;
};

/// The CPU's four watch registers of one stopped process, and what the watched bytes were when it
/// last ran: a write of the same value is no change.
class WatchRegisters {
 public:
  /// Throws when four registers of 1, 2, 4 or 8 aligned bytes do not suffice.
  void arm(int pid, const TracedMemory& memory, const std::vector<WatchedMemory>& watches);
  /// Of what has happened since: the first access, by the CPU's word, or change. Changes that the
  /// CPU does not see (a system call's results) are found too.
  std::optional<WatchedMemory> take_hit(int pid, const TracedMemory& memory);

 private:
  struct Register {
    WatchedMemory whole;  ///< what was asked for, of which this is a part
    std::uint64_t address = 0;
    std::uint64_t size = 0;
  };
  std::vector<WatchedMemory> watches_;
  std::vector<Register> registers_;
  std::vector<std::string> values_;  ///< of watches_
};

}  // namespace icecore::replay

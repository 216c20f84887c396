// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace icecore::replay {

/// A line of /proc/locks, or "lock:" in fdinfo: "1: POSIX  ADVISORY  WRITE 12 08:01:34 0 EOF".
struct LockLine {
  enum class Kind { Posix, Description, Flock, Lease };
  Kind kind = Kind::Posix;
  bool exclusive = false;
  bool settled = true;  ///< not a lease that is being broken
  int pid = 0;          ///< -1 when it is nobody's
  std::string file;     ///< "08:01:34": device and inode
  std::uint64_t start = 0;
  std::uint64_t end = 0;  ///< the last byte; ~0 for the end of the file

  /// Whether both can be held by different owners.
  [[nodiscard]] bool goes_with(const LockLine& other) const;
};

/// nullopt for other lines: of waiters, and of locks that are unknown.
[[nodiscard]] std::optional<LockLine> parse_lock_line(std::string_view line);

}  // namespace icecore::replay

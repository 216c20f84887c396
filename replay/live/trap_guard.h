// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "base/mapped_region.h"
#include "base/unique_fd.h"

namespace icecore::replay {

/// What a software breakpoint puts in place of an instruction's first byte.
inline constexpr std::byte kInt3{0xcc};

/// Makes processes that a debugger has only attached to whole again when it dies without a word
/// (SIGKILL): a process of ours that outlives us has the list of what we have put into them. The
/// kernel detaches from them just after our descriptors are closed (do_exit: exit_files, then
/// exit_notify), which is what the guard waits for: breakpoint instructions are out before the
/// program runs untraced, or moments later. A thread that meets one in between is lost.
class TrapGuard {
 public:
  /// Starts the guard. Throws Error when that fails.
  TrapGuard();
  TrapGuard(const TrapGuard&) = delete;
  TrapGuard& operator=(const TrapGuard&) = delete;
  /// Ends it: it does what is left to do, which is nothing when all was dropped.
  ~TrapGuard();

  /// To be called before a breakpoint instruction is written at `address`. What finds no room in
  /// the list is not guarded.
  void keep(std::int32_t pid, std::uint64_t address, std::byte original);
  /// To be called when the instruction is whole again.
  void drop(std::int32_t pid, std::uint64_t address);
  /// The debug registers of its threads watch something, or nothing any more.
  void keep_watches(std::int32_t pid) { keep(pid, kWatches, {}); }
  void drop_watches(std::int32_t pid) { drop(pid, kWatches); }

 private:
  static constexpr std::uint64_t kWatches = 0;  ///< no breakpoint is there
  struct Row;
  [[nodiscard]] Row& row(std::size_t index) const;
  [[noreturn]] void stand_by(int lifeline);
  void make_whole();
  void take_traps_out();
  void end_watches();

  MappedRegion list_;  ///< rows, shared with the guard
  std::map<std::pair<std::int32_t, std::uint64_t>, std::size_t> used_;
  int guard_ = 0;
  UniqueFd lifeline_;  ///< closed with us
};

}  // namespace icecore::replay

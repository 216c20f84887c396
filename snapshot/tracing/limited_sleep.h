// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace icecore::snapshot {

/// Calls whose time limit the kernel keeps itself when they are interrupted (nanosleep, poll,
/// futex: -ERESTART_RESTARTBLOCK). They need nothing of us to go on, but a restore must know which
/// call it was and how long it had slept, and the kernel shows neither: after the first
/// interruption the thread is in restart_syscall. So what was seen at the first is remembered.
class LimitedSleeps {
 public:
  struct Sleep {
    std::int64_t number = 0;               ///< of the call; -1 when it cannot be told any more
    std::optional<std::int64_t> since_ns;  ///< CLOCK_MONOTONIC
  };

  /// Whether a sleeping thread may be in such a call (from /proc/PID/task/TID/syscall). Also notes
  /// where in the kernel it sleeps, which tells the call when nothing else does.
  bool may_be_in(int pid, int tid);
  /// The thread was stopped with `registers`; `since_ns` is when this very sleep began, if known.
  /// nullopt when it is in no such call.
  std::optional<Sleep> find(int pid, int tid, const user_regs_struct& registers,
                            std::optional<std::int64_t> since_ns);
  /// Forgets threads that are not among `living`.
  void keep_only(const std::set<int>& living);

 private:
  struct Known {
    std::uint64_t instruction = 0;
    std::uint64_t stack = 0;
    Sleep sleep;
  };
  std::map<int, Known> known_;           ///< by tid
  std::map<int, std::string> channels_;  ///< of those in restart_syscall
};

}  // namespace icecore::snapshot

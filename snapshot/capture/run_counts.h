// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/unique_fd.h"

namespace icecore::snapshot {

/// How often threads were given a CPU (the third number of /proc/PID/task/TID/schedstat; unknown
/// without CONFIG_SCHED_INFO). A thread that waits and is then stopped was given it once: whatever
/// else it did shows as one time more. The cheapest answer that /proc has, and its files are held
/// open between snapshots, as far as our limit of descriptors allows; a file opened for one thread
/// never tells of another that got its id.
class RunCounts {
 public:
  RunCounts();

  /// nullopt when the thread is gone, or the kernel does not count.
  std::optional<std::uint64_t> count(int pid, int tid);
  /// Closes the files of threads that are not among `tids`.
  void keep_only(const std::set<int>& tids);

 private:
  std::size_t most_;
  std::map<int, UniqueFd> files_;  ///< by tid
};

}  // namespace icecore::snapshot

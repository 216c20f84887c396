// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <cstddef>

namespace icecore::snapshot {

/// Moves the calling thread to `cpu`. Only speed or precision is lost when it fails.
inline void move_to_cpu(int cpu) {
  if (cpu < 0 || cpu == ::sched_getcpu()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// Gives the calling thread its own CPU set back at the end.
class AffinityScope {
 public:
  AffinityScope() { ::sched_getaffinity(0, sizeof set_, &set_); }
  ~AffinityScope() { ::sched_setaffinity(0, sizeof set_, &set_); }
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;

 private:
  cpu_set_t set_{};
};

}  // namespace icecore::snapshot

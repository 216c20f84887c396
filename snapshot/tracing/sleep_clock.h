// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace icecore::snapshot {

/// Finds out since when a sleeping thread sleeps, from the scheduler's own record of when it last
/// ran (se.exec_start in /proc/PID/task/TID/sched). That is kept on a clock of the CPU that lags
/// behind CLOCK_MONOTONIC by the time taken by interrupts and the hypervisor, so that it is
/// compared with our own record on the same CPU. What it lags in between makes the sleep look
/// shorter, never longer: a timeout computed from it is never early.
class SleepClock {
 public:
  struct Sleep {
    std::int64_t since_ns = 0;             ///< CLOCK_MONOTONIC
    std::uint64_t voluntary_switches = 0;  ///< identifies this sleep
  };
  /// nullopt when the kernel does not tell (no CONFIG_SCHED_DEBUG), or the thread is gone or awake.
  std::optional<Sleep> sleep_of(int pid, int tid);

  /// How often the thread has gone to sleep; a stop of ours counts as one more.
  static std::optional<std::uint64_t> voluntary_switches(int pid, int tid);

 private:
  std::optional<std::int64_t> offset_of(int cpu);
  std::map<int, std::int64_t> offsets_;  ///< CLOCK_MONOTONIC minus the CPU's clock, by CPU
};

}  // namespace icecore::snapshot

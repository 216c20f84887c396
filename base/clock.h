// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <time.h>

#include <cstdint>

namespace icecore {

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// Nanoseconds since the epoch of `clock`.
inline std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * kNsPerSecond + now.tv_nsec;
}

/// CLOCK_MONOTONIC: what intervals and deadlines are counted in.
inline std::int64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }
/// CLOCK_REALTIME: what files and people call the time.
inline std::int64_t realtime_ns() { return clock_ns(CLOCK_REALTIME); }

}  // namespace icecore

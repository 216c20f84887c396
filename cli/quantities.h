// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace icecore::cli {

/// "812 B", "4.0 KiB", "1.3 GiB"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// A duration in microseconds: "85 us", "1.24 ms", "2.5 s"
[[nodiscard]] std::string microseconds_text(std::uint64_t microseconds);

/// A moment in nanoseconds since 1970 as local time: "2026-11-21 14:03:20.123"
[[nodiscard]] std::string local_time_text(std::int64_t realtime_ns);

/// The same for machines, whole and in UTC: "2026-11-21T13:03:20.123456789Z"
[[nodiscard]] std::string utc_time_text(std::int64_t realtime_ns);

/// "0x7f0012345678"
[[nodiscard]] std::string hex_text(std::uint64_t value);

/// "1 thread", "5 threads"
[[nodiscard]] std::string count_text(std::uint64_t count, const std::string& noun);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace icecore::snapshot {

/// "2026-11-21 14:03:20.123" in local time, from nanoseconds since 1970.
[[nodiscard]] std::string local_time(std::int64_t realtime_ns);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// One line of /proc/PID/limits; `name` points into the text: "Max open files".
struct LimitLine {
  std::string_view name;
  std::uint64_t soft = 0;  ///< ~0: unlimited
  std::uint64_t hard = 0;
};

std::vector<LimitLine> parse_limits(std::string_view text);

}  // namespace icecore::snapshot::proc

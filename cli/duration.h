// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace icecore::cli {

/// "500us", "20ms", "2s", "1.5m", "1h"; a bare number is seconds. nullopt when it is none of these,
/// is negative or does not fit.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.h"

#include <array>
#include <charconv>
#include <utility>

namespace icecore::cli {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{
    {"", 1e9},
    {"ns", 1},
    {"us", 1e3},
    {"ms", 1e6},
    {"s", 1e9},
    {"m", 60e9},
    {"min", 60e9},
    {"h", 3600e9},
}};
constexpr double kLongest = 9e18;  // just below 2^63 ns, 285 years

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  double amount = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, amount, std::chars_format::fixed);
  if (error != std::errc{} || !(amount >= 0)) return std::nullopt;
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  for (const auto& [name, nanoseconds] : kUnits) {
    if (unit != name) continue;
    if (amount * nanoseconds > kLongest) return std::nullopt;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(amount * nanoseconds + 0.5));
  }
  return std::nullopt;
}

}  // namespace icecore::cli

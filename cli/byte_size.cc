// SPDX-License-Identifier: Apache-2.0
#include "cli/byte_size.h"

#include <array>
#include <charconv>
#include <limits>

namespace icecore::cli {

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (unit.empty() || unit == "B") return count;
  constexpr std::array kLetters = {'K', 'M', 'G', 'T'};
  for (unsigned i = 0; i < kLetters.size(); ++i) {
    const unsigned shift = 10 * (i + 1);
    if (unit.front() != kLetters[i]) continue;
    if (unit.size() > 1 && unit.substr(1) != "iB") return std::nullopt;
    if (count > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
    return count << shift;
  }
  return std::nullopt;
}

}  // namespace icecore::cli

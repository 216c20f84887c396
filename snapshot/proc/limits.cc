// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/limits.h"

#include "base/error.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

std::uint64_t limit(std::string_view word) {
  if (word == "unlimited") return ~std::uint64_t{0};
  const auto number = to_number<std::uint64_t>(word);
  if (!number) throw Error("not a limit of /proc/PID/limits: \"" + std::string(word) + "\"");
  return *number;
}

}  // namespace

std::vector<LimitLine> parse_limits(std::string_view text) {
  std::vector<LimitLine> limits;
  take_line(text);  // the heading
  while (!text.empty()) {
    std::string_view line = take_line(text);
    // Names hold single blanks; two end them.
    const auto name_end = line.find("  ");
    if (name_end == std::string_view::npos) continue;
    LimitLine parsed{.name = line.substr(0, name_end)};
    line.remove_prefix(name_end);
    parsed.soft = limit(take_word(line));
    parsed.hard = limit(take_word(line));
    limits.push_back(parsed);
  }
  return limits;
}

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/cgroup.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

// "4:memory,cpu:/path": the path may hold colons, the rest may not.
struct Line {
  std::string_view hierarchy;
  std::string_view controllers;
  std::string_view path;
};

std::optional<Line> split(std::string_view line) {
  const auto first = line.find(':');
  const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Line{line.substr(0, first), line.substr(first + 1, second - first - 1),
              line.substr(second + 1)};
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) break;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::optional<std::string_view> unified_cgroup(std::string_view text) {
  while (!text.empty()) {
    const auto line = split(take_line(text));
    if (line && line->hierarchy == "0" && line->controllers.empty()) return line->path;
  }
  return std::nullopt;
}

std::optional<std::string_view> v1_cgroup(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    const auto line = split(take_line(text));
    if (line && lists(line->controllers, controller)) return line->path;
  }
  return std::nullopt;
}

}  // namespace icecore::snapshot::proc

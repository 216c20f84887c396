// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/address_map.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "snapshot/proc/maps.h"

namespace icecore::replay {

std::vector<AddressRange> mapped_now(int pid) {
  const std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string content = text.str();
  std::vector<AddressRange> ranges;
  for (const auto& line : snapshot::proc::parse_maps(content)) {
    if (line.name == "[vsyscall]") continue;
    ranges.push_back({line.start, line.end, std::string(line.name)});
  }
  return ranges;
}

std::vector<AddressRange> mapped_in(const model::Process& process) {
  std::vector<AddressRange> ranges;
  for (const auto& mapping : process.mappings()) {
    if (mapping.name() == "[vsyscall]") continue;
    ranges.push_back({mapping.start(), mapping.end(), mapping.name()});
  }
  return ranges;
}

std::uint64_t find_hole(std::vector<AddressRange> taken, std::uint64_t size) {
  constexpr std::uint64_t kLowest = 0x20000;
  constexpr std::uint64_t kHighest = 0x7fffffffe000;
  constexpr std::uint64_t kSpare = 4096;
  std::ranges::sort(taken, {}, &AddressRange::start);
  std::uint64_t at = kLowest;
  for (const auto& range : taken) {
    if (range.start >= at + size + kSpare) break;
    at = std::max(at, range.end + kSpare);
  }
  if (at + size > kHighest) throw Error("its address space has no room for the work area");
  return at;
}

bool overlaps(const std::vector<AddressRange>& ranges, std::uint64_t start, std::uint64_t end) {
  return std::ranges::any_of(
      ranges, [&](const AddressRange& range) { return range.start < end && start < range.end; });
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/smaps.h"

#include "snapshot/proc/maps.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

std::vector<SmapsEntry> parse_smaps(std::string_view text) {
  std::vector<SmapsEntry> entries;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    // Field lines start with a capital letter, the lines of maps with a hexadecimal digit.
    if (!line.empty() && (line[0] < 'A' || line[0] > 'Z')) {
      const MapsLine mapping = parse_maps_line(line);
      entries.push_back({.start = mapping.start, .end = mapping.end, .flags = {}});
    } else if (entries.empty()) {
      continue;
    } else if (line.starts_with("KernelPageSize:")) {
      line.remove_prefix(15);
      entries.back().page_size = take_number<std::uint64_t>(line) * 1024;
    } else if (line.starts_with("VmFlags:")) {
      line.remove_prefix(8);
      skip_blanks(line);
      while (line.ends_with(' ')) line.remove_suffix(1);
      entries.back().flags = line;
    }
  }
  return entries;
}

bool has_vm_flag(std::string_view flags, std::string_view flag) {
  // All of them are two letters and a blank.
  constexpr std::size_t kStride = 3;
  for (std::size_t at = 0; at + 2 <= flags.size(); at += kStride) {
    if (flags[at] == flag[0] && flags[at + 1] == flag[1]) return true;
  }
  return false;
}

}  // namespace icecore::snapshot::proc

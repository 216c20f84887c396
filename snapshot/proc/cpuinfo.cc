// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/cpuinfo.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

CpuInfo parse_cpuinfo(std::string_view text) {
  CpuInfo cpu;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;  // the next processor
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    skip_blanks(value);
    if (line.starts_with("model name")) cpu.model = value;
    if (!line.starts_with("flags")) continue;
    for (auto flag = take_word(value); !flag.empty(); flag = take_word(value)) {
      cpu.flags.emplace_back(flag);
    }
  }
  return cpu;
}

}  // namespace icecore::snapshot::proc

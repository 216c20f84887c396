// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/timers.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

std::vector<TimerEntry> parse_timers(std::string_view text) {
  std::vector<TimerEntry> timers;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    skip_blanks(line);
    if (name == "ID:") {
      timers.push_back({.id = take_number<int>(line), .notify = {}});
    } else if (timers.empty()) {
      continue;
    } else if (name == "signal:") {  // "signal: 60/0000000000000001"
      const auto slash = line.find('/');
      timers.back().signal = to_number<int>(line.substr(0, slash)).value_or(0);
      if (slash != std::string_view::npos) {
        timers.back().value_pointer = to_address(line.substr(slash + 1)).value_or(0);
      }
    } else if (name == "notify:") {
      timers.back().notify = line;
    } else if (name == "ClockID:") {
      timers.back().clock = take_number<int>(line);
    }
  }
  return timers;
}

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// One POSIX timer of /proc/PID/timers. `notify` points into the text: "signal/pid.1234".
struct TimerEntry {
  int id = 0;
  int signal = 0;
  std::uint64_t value_pointer = 0;
  std::string_view notify;
  int clock = 0;
};

std::vector<TimerEntry> parse_timers(std::string_view text);

}  // namespace icecore::snapshot::proc

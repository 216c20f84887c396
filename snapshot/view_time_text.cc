// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_time_text.h"

#include <cstdio>
#include <ctime>

namespace icecore::snapshot {

std::string local_time(std::int64_t realtime_ns) {
  constexpr std::int64_t kBillion = 1'000'000'000;
  const std::time_t seconds = realtime_ns / kBillion;
  std::tm broken_down{};
  ::localtime_r(&seconds, &broken_down);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &broken_down);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03d", date,
                static_cast<int>(realtime_ns % kBillion / 1'000'000));
  return text;
}

}  // namespace icecore::snapshot

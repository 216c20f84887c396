// SPDX-License-Identifier: Apache-2.0
// What the copies of a history cost, by history.h.
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "replay/timeline/history.h"

namespace icecore::replay {
namespace {

/// A line of /proc/PID/smaps_rollup, KiB; 0 when it is not there.
std::uint64_t rolled_up(int pid, std::string_view field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field)) continue;
    std::istringstream words(line.substr(field.size()));
    std::uint64_t kib = 0;
    words >> kib;
    return kib;
  }
  return 0;
}

}  // namespace

/// Each page is counted in parts by the processes that share it, so that all parts together are the
/// memory in use; the program would use its own pages without any copy.
std::uint64_t History::memory_of_copies(int pid) const {
  std::uint64_t all = rolled_up(pid, "Pss_Anon:");
  for (const auto& [position, moment] : kept_) all += rolled_up(moment->pid, "Pss_Anon:");
  const std::uint64_t own = rolled_up(pid, "Anonymous:");
  return all > own ? (all - own) * 1024 : 0;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/copy_memory.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

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

/// Minor ones, field 10 of /proc/PID/stat.
std::uint64_t page_faults(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  // The name in parentheses, field 2, may hold anything.
  std::istringstream words(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int field = 3; field < 10; ++field) words >> word;
  std::uint64_t faults = 0;
  words >> faults;
  return faults;
}

std::uint64_t page_size() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

/// Each page is counted in parts by the processes that share it, so that all parts together are the
/// memory in use; the program would use its own pages without any copy.
std::uint64_t memory_of_copies(int pid, const std::vector<int>& copies) {
  std::uint64_t all = rolled_up(pid, "Pss_Anon:");
  for (const int copy : copies) all += rolled_up(copy, "Pss_Anon:");
  const std::uint64_t own = rolled_up(pid, "Anonymous:");
  return all > own ? (all - own) * 1024 : 0;
}

std::uint64_t CopyMemory::default_most() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_size() / 8;
}

bool CopyMemory::is_too_much(int pid, const std::vector<int>& copies) {
  const std::uint64_t faults = page_faults(pid);
  if (copies.size() < 2) {
    measured_ = 0;
    faults_then_ = faults;
    return false;
  }
  if (measured_ + (faults - faults_then_) * page_size() <= most_) return false;
  measured_ = memory_of_copies(pid, copies);
  faults_then_ = faults;
  return measured_ > most_;
}

}  // namespace icecore::replay

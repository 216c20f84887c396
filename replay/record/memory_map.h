// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::replay {

/// A line of /proc/PID/maps, as far as recording asks.
struct MappedRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::string name;
};

/// In the order of addresses.
std::vector<MappedRange> mappings_of(int pid);
std::optional<MappedRange> find_mapping(int pid, std::string_view name);

}  // namespace icecore::replay

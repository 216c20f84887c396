// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// One line of /proc/PID/maps. `name` points into the parsed text and is as the kernel wrote it: a
/// newline in a path is "\012", and a deleted file ends in " (deleted)".
struct MapsLine {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::uint64_t offset = 0;
  std::uint64_t device = 0;  ///< as st_dev
  std::uint64_t inode = 0;
  std::string_view name;
};

/// Parses one line; throws Error when it is none. Made for thousands of lines: it runs in the
/// pause.
MapsLine parse_maps_line(std::string_view line);

/// All lines of /proc/PID/maps, in the order of their addresses.
std::vector<MapsLine> parse_maps(std::string_view text);

/// Cuts " (deleted)" off `name`; tells whether it was there.
bool take_deleted(std::string_view& name);

}  // namespace icecore::snapshot::proc

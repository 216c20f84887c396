// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// What /proc/PID/smaps adds to maps. `flags` points into the text: "rd wr mr mw me ac".
struct SmapsEntry {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string_view flags;
  std::uint64_t page_size = 4096;  ///< KernelPageSize, bytes
};

std::vector<SmapsEntry> parse_smaps(std::string_view text);

/// Whether the two-letter `flag` is among the blank-separated `flags`.
bool has_vm_flag(std::string_view flags, std::string_view flag);

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::replay {

/// A part of a file that was touched through a mapping, in bytes.
struct TouchedRange {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool operator==(const TouchedRange&) const = default;
};

/// What the processes of the tree below `root` have touched of the files that they map, by path and
/// offset: the pages that are in their page tables, neighbours joined, with what lies in short gaps
/// between them.
[[nodiscard]] std::vector<TouchedRange> touched_files(int root);

/// images/NAME.touched: a line "OFFSET SIZE PATH" for each range. Lines that are none are skipped,
/// the file may be missing.
[[nodiscard]] std::string touched_text(const std::vector<TouchedRange>& ranges);
[[nodiscard]] std::vector<TouchedRange> parse_touched(std::string_view text);

}  // namespace icecore::replay

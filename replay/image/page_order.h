// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::replay {

/// Neighbouring pages of a space of the snapshot; page numbers are addresses / 4096.
struct PageStretch {
  std::uint64_t space = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const PageStretch&) const = default;
};

/// images/NAME.order: what copies have touched first, in that order: a line "SPACE PAGE COUNT" for
/// each stretch, in hexadecimal. Lines that are none are skipped.
using PageOrder = std::vector<PageStretch>;

[[nodiscard]] std::string page_order_text(const PageOrder& order);
[[nodiscard]] PageOrder parse_page_order(std::string_view text);
/// Ascending, neighbours as one.
[[nodiscard]] PageOrder joined(PageOrder order);
/// Empty when there is none yet.
[[nodiscard]] PageOrder read_page_order(const std::filesystem::path& file);
/// Puts what was missing behind what is in the file by now. Does nothing for what cannot be
/// written: a start is then slower, and that is all.
void add_to_page_order(const std::filesystem::path& file, const PageOrder& missed) noexcept;

}  // namespace icecore::replay

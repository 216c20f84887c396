// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "store/types.h"

namespace icecore::snapshot {

/// Sets of pages as ascending runs that neither overlap nor touch. A process of a GiB has some
/// thousand runs, so that whole-set operations cost microseconds.
using PageSet = std::vector<store::PageRange>;

/// Appends a run behind all others, joining it to the last when they touch.
void append_run(PageSet& set, std::uint64_t first, std::uint64_t count);
[[nodiscard]] PageSet subtract(const PageSet& from, const PageSet& what);
[[nodiscard]] PageSet intersect(const PageSet& a, const PageSet& b);
[[nodiscard]] PageSet unite(const PageSet& a, const PageSet& b);
/// The pages of `set` in [first, end): whatever the size of the set, only what lies there is looked
/// at. The same holds for the two questions below.
[[nodiscard]] PageSet part_of(const PageSet& set, std::uint64_t first, std::uint64_t end);
/// Whether any page of [first, end) is in `set`, or all.
[[nodiscard]] bool overlaps(const PageSet& set, std::uint64_t first, std::uint64_t end);
[[nodiscard]] bool covers(const PageSet& set, std::uint64_t first, std::uint64_t end);
[[nodiscard]] std::uint64_t page_count(const PageSet& set);

}  // namespace icecore::snapshot

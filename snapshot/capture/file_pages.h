// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "snapshot/capture/memory_buffer.h"
#include "snapshot/capture/memory_ranges.h"

namespace icecore::snapshot {

/// The parts of a file of `size` bytes that hold data, as pages; the others are holes.
[[nodiscard]] PageSet data_pages(int fd, std::uint64_t size);

/// Copies `pages` of the file and appends them to `runs`; what lies behind its end is zero.
void read_pages(int fd, const PageSet& pages, PageBuffer& buffer,
                std::vector<store::PageRun>& runs);

/// Adds the pages that `before` had and `now` has not, as absent, and brings `runs` into order.
void end_missing_pages(const PageSet& before, const PageSet& now,
                       std::vector<store::PageRun>& runs);

}  // namespace icecore::snapshot

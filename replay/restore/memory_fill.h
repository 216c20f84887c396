// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "replay/restore/page_source.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// A run of pages to be written into a process: page numbers are addresses / 4096.
struct PageFill {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool skip_zero = false;  ///< nothing is there yet, zero pages need not be written
};

/// Writes pages of `space` as the snapshot has them into process `pid`, whatever the protection of
/// its mappings, with all cores. Those that `source` has (which may be null) are taken from there.
void fill_pages(const snapshot::StoredSnapshot& snapshot, const PageSource* source,
                std::uint64_t space, int pid, const std::vector<PageFill>& fills);

}  // namespace icecore::replay

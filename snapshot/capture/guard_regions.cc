// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/guard_regions.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <vector>

#include "snapshot/capture/pagemap_scan.h"

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kPageSize = 4096;

void add(std::uint64_t start, std::uint64_t end, model::Mapping& mapping) {
  const int size = mapping.guards_size();
  if (size > 0 && mapping.guards(size - 1) == start) {
    mapping.set_guards(size - 1, end);
    return;
  }
  mapping.add_guards(start);
  mapping.add_guards(end);
}

// False when this kernel's PAGEMAP_SCAN does not know of guards, or there is none.
bool scan(int pagemap, model::Mapping& mapping) {
  std::array<PageRegion, 256> regions{};
  PageScanArgument argument{.size = sizeof(PageScanArgument),
                            .flags = 0,
                            .start = mapping.start(),
                            .end = mapping.end(),
                            .walk_end = 0,
                            .regions = reinterpret_cast<std::uint64_t>(regions.data()),
                            .region_count = regions.size(),
                            .max_pages = 0,
                            .category_inverted = 0,
                            .category_mask = kPageIsGuard,
                            .category_any_of = 0,
                            .return_mask = kPageIsGuard};
  while (argument.start < mapping.end()) {
    const int count = ::ioctl(pagemap, kPagemapScan, &argument);
    if (count < 0) return false;
    for (int i = 0; i < count; ++i) {
      add(regions[static_cast<std::size_t>(i)].start, regions[static_cast<std::size_t>(i)].end,
          mapping);
    }
    if (argument.walk_end <= argument.start) break;
    argument.start = argument.walk_end;
  }
  return true;
}

void read_bits(int pagemap, model::Mapping& mapping) {
  constexpr std::uint64_t kGuardBit = std::uint64_t{1} << 58U;
  std::vector<std::uint64_t> entries(512);
  for (std::uint64_t address = mapping.start(); address < mapping.end();) {
    const ssize_t size = ::pread(pagemap, entries.data(), entries.size() * sizeof entries[0],
                                 static_cast<off_t>(address / kPageSize * sizeof entries[0]));
    if (size <= 0) return;
    const auto count = static_cast<std::size_t>(size) / sizeof entries[0];
    for (std::size_t i = 0; i < count && address < mapping.end(); ++i, address += kPageSize) {
      if ((entries[i] & kGuardBit) != 0) add(address, address + kPageSize, mapping);
    }
  }
}

}  // namespace

void capture_guard_regions(int pagemap, model::Mapping& mapping) {
  mapping.clear_guards();
  if (scan(pagemap, mapping)) return;
  mapping.clear_guards();
  read_bits(pagemap, mapping);
}

}  // namespace icecore::snapshot

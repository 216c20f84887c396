// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/guard_regions.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <vector>

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kPageSize = 4096;

// linux/fs.h of Linux 6.15; older headers do not have them.
struct PageRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};
struct ScanArgument {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t walk_end;
  std::uint64_t regions;
  std::uint64_t region_count;
  std::uint64_t max_pages;
  std::uint64_t category_inverted;
  std::uint64_t category_mask;
  std::uint64_t category_any_of;
  std::uint64_t return_mask;
};
constexpr std::uint64_t kPageIsGuard = 1U << 8U;
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);

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
  ScanArgument argument{.size = sizeof(ScanArgument),
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/ioctl.h>

#include <cstdint>

namespace icecore::snapshot {

// The PAGEMAP_SCAN ioctl of /proc/PID/pagemap, from include/uapi/linux/fs.h of Linux 6.7 (guard
// pages 6.15); Debian 12's headers are older.

struct PageRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};

struct PageScanArgument {
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

constexpr unsigned long kPagemapScan = _IOWR('f', 16, PageScanArgument);

constexpr std::uint64_t kPageIsWriteProtectable = 1U << 0U;
constexpr std::uint64_t kPageIsWritten = 1U << 1U;
constexpr std::uint64_t kPageIsFile = 1U << 2U;
constexpr std::uint64_t kPageIsPresent = 1U << 3U;
constexpr std::uint64_t kPageIsSwapped = 1U << 4U;
constexpr std::uint64_t kPageIsZeroFrame = 1U << 5U;
constexpr std::uint64_t kPageIsGuard = 1U << 8U;

constexpr std::uint64_t kScanWriteProtect = 1U << 0U;
constexpr std::uint64_t kScanCheckAsync = 1U << 1U;

}  // namespace icecore::snapshot

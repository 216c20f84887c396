// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_scan.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>

#include "base/error.h"
#include "snapshot/capture/pagemap_scan.h"

namespace icecore::snapshot {
namespace {

// Without "present or swapped" a page that was never touched would match, and protecting it would
// make page tables for all of a sparse mapping: gigabytes of them for a JVM. Its first write is
// seen all the same.
constexpr PageScanArgument kTakeWritten{.size = 0,
                                        .flags = kScanWriteProtect,
                                        .start = 0,
                                        .end = 0,
                                        .walk_end = 0,
                                        .regions = 0,
                                        .region_count = 0,
                                        .max_pages = 0,
                                        .category_inverted = 0,
                                        .category_mask = kPageIsWritten,
                                        .category_any_of = kPageIsPresent | kPageIsSwapped,
                                        .return_mask = kPageIsWritten};

using Regions =
    std::array<PageRegion, 1024>;  // 24 KiB: not worth zeroing for each of many mappings

/// One call, going on at argument.start; the number of regions, or -1 for EPERM. Afterwards the
/// scan goes on at argument.walk_end.
int scan_once(int fd, PageScanArgument& argument, Regions& regions) {
  argument.size = sizeof argument;
  argument.regions = reinterpret_cast<std::uint64_t>(regions.data());
  argument.region_count = regions.size();
  argument.walk_end = 0;
  const int count = ::ioctl(fd, kPagemapScan, &argument);
  if (count >= 0) return count;
  if (errno == EPERM) return -1;
  if (errno == ESRCH || errno == EINTR) return 0;  // walk_end 0: over
  throw_errno("PAGEMAP_SCAN");
}

/// Runs one scan over [start, end) to its end, appending the regions to `pages` but for those with
/// a category of `without`; false for EPERM.
bool scan(int fd, PageScanArgument argument, std::uint64_t start, std::uint64_t end, PageSet& pages,
          std::uint64_t without = 0) {
  Regions regions;
  argument.end = end;
  while (start < end) {
    argument.start = start;
    const int count = scan_once(fd, argument, regions);
    if (count < 0) return false;
    for (int i = 0; i < count; ++i) {
      const auto& region = regions[static_cast<std::size_t>(i)];
      if ((region.categories & without) != 0) continue;
      append_run(pages, region.start / store::kPageSize,
                 (region.end - region.start) / store::kPageSize);
    }
    if (argument.walk_end <= start) break;
    start = argument.walk_end;
  }
  return true;
}

}  // namespace

PageScanner::PageScanner(int pid)
    : pagemap_(
          ::open(("/proc/" + std::to_string(pid) + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC)) {}

PageSet PageScanner::own_pages(std::uint64_t start, std::uint64_t end) const {
  PageScanArgument argument{};
  argument.category_inverted = kPageIsFile | kPageIsZeroFrame;
  argument.category_mask = kPageIsFile | kPageIsZeroFrame;
  argument.category_any_of = kPageIsPresent | kPageIsSwapped;
  argument.return_mask = kPageIsPresent;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

PageSet PageScanner::missing_pages(std::uint64_t start, std::uint64_t end) const {
  // Not present, or the zero page; of these not what is swapped.
  PageScanArgument argument{};
  argument.category_inverted = kPageIsPresent;
  argument.category_any_of = kPageIsPresent | kPageIsZeroFrame;
  argument.return_mask = kPageIsSwapped;
  PageSet missing;
  scan(pagemap_.get(), argument, start, end, missing, kPageIsSwapped);
  return missing;
}

PageSet PageScanner::absent_own_pages(std::uint64_t start, std::uint64_t end) const {
  PageScanArgument argument{};
  argument.category_inverted = kPageIsPresent;
  argument.category_mask = kPageIsPresent | kPageIsSwapped;
  argument.return_mask = kPageIsSwapped;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

PageSet PageScanner::populated_pages(std::uint64_t start, std::uint64_t end) const {
  PageScanArgument argument{};
  argument.category_any_of = kPageIsPresent | kPageIsSwapped;
  argument.return_mask = kPageIsPresent;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

std::optional<PageSet> PageScanner::take_written(std::uint64_t start, std::uint64_t end) const {
  PageScanArgument argument = kTakeWritten;
  argument.flags |= kScanCheckAsync;
  PageSet pages;
  if (!scan(pagemap_.get(), argument, start, end, pages)) return std::nullopt;
  return pages;
}

void PageScanner::take_all_written(std::uint64_t start, std::uint64_t end, PageSet& pages) const {
  scan(pagemap_.get(), kTakeWritten, start, end, pages);
}

std::optional<PageSet> PageScanner::written_or_gone(std::uint64_t start, std::uint64_t end) const {
  // Exactly these masks take a way of its own through the kernel, three times as fast.
  PageScanArgument argument{};
  argument.category_mask = kPageIsWritten;
  argument.return_mask = kPageIsWritten;
  argument.start = start;
  argument.end = end;
  Regions regions;
  const int count = scan_once(pagemap_.get(), argument, regions);
  if (count < 0 || argument.walk_end < end) return std::nullopt;
  PageSet pages;
  for (const auto& region : std::span(regions).first(static_cast<std::size_t>(count))) {
    append_run(pages, region.start / store::kPageSize,
               (region.end - region.start) / store::kPageSize);
  }
  return pages;
}

PageSet PageScanner::unwatched_own_pages(std::uint64_t start, std::uint64_t end) const {
  constexpr std::uint64_t kNot = kPageIsFile | kPageIsZeroFrame | kPageIsWriteProtectable;
  PageScanArgument argument{};
  argument.category_inverted = kNot;
  argument.category_mask = kNot;
  argument.category_any_of = kPageIsPresent | kPageIsSwapped;
  argument.return_mask = kPageIsPresent;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

std::vector<std::uint64_t> PageScanner::frames(std::uint64_t first, std::uint64_t count) const {
  constexpr std::uint64_t kFrameMask = (1ULL << 55U) - 1;
  constexpr std::uint64_t kPresentBit = 1ULL << 63U;
  std::vector<std::uint64_t> entries(count, 0);
  const auto size = count * sizeof(std::uint64_t);
  const auto got = ::pread(pagemap_.get(), entries.data(), size,
                           static_cast<off_t>(first * sizeof(std::uint64_t)));
  if (got != static_cast<ssize_t>(size)) entries.assign(count, 0);
  for (auto& entry : entries) entry = (entry & kPresentBit) != 0 ? entry & kFrameMask : 0;
  return entries;
}

}  // namespace icecore::snapshot

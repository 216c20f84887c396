// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_scan.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

// include/uapi/linux/fs.h of Linux 6.7; Debian 12's headers are older.
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
  std::uint64_t vec;
  std::uint64_t vec_len;
  std::uint64_t max_pages;
  std::uint64_t category_inverted;
  std::uint64_t category_mask;
  std::uint64_t category_anyof_mask;
  std::uint64_t return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr std::uint64_t kWritten = 1U << 1U;
constexpr std::uint64_t kFile = 1U << 2U;
constexpr std::uint64_t kPresent = 1U << 3U;
constexpr std::uint64_t kSwapped = 1U << 4U;
constexpr std::uint64_t kZeroFrame = 1U << 5U;
constexpr std::uint64_t kWriteProtectMatching = 1U << 0U;
constexpr std::uint64_t kCheckAsync = 1U << 1U;

constexpr std::uint64_t kPage = store::kPageSize;

/// Runs one scan over [start, end) to its end, appending the regions to `pages`; false for EPERM.
bool scan(int fd, ScanArgument argument, std::uint64_t start, std::uint64_t end, PageSet& pages) {
  std::array<PageRegion, 1024> regions;  // 24 KiB: not worth zeroing for each of many mappings
  argument.size = sizeof argument;
  argument.end = end;
  argument.vec = reinterpret_cast<std::uint64_t>(regions.data());
  argument.vec_len = regions.size();
  while (start < end) {
    argument.start = start;
    argument.walk_end = 0;
    const int count = ::ioctl(fd, kPagemapScan, &argument);
    if (count < 0) {
      if (errno == EPERM) return false;
      if (errno == ESRCH || errno == EINTR) return true;
      throw_errno("PAGEMAP_SCAN");
    }
    for (int i = 0; i < count; ++i) {
      const auto& region = regions[static_cast<std::size_t>(i)];
      append_run(pages, region.start / kPage, (region.end - region.start) / kPage);
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
  ScanArgument argument{};
  argument.category_inverted = kFile | kZeroFrame;
  argument.category_mask = kFile | kZeroFrame;
  argument.category_anyof_mask = kPresent | kSwapped;
  argument.return_mask = kPresent;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

PageSet PageScanner::missing_pages(std::uint64_t start, std::uint64_t end) const {
  ScanArgument argument{};
  argument.category_inverted = kPresent | kSwapped;
  argument.category_mask = kPresent | kSwapped;
  argument.return_mask = kPresent;
  PageSet missing;
  scan(pagemap_.get(), argument, start, end, missing);
  ScanArgument zero{};
  zero.category_mask = kPresent | kZeroFrame;
  zero.return_mask = kPresent;
  PageSet zero_pages;
  scan(pagemap_.get(), zero, start, end, zero_pages);
  return zero_pages.empty() ? missing : unite(missing, zero_pages);
}

PageSet PageScanner::absent_own_pages(std::uint64_t start, std::uint64_t end) const {
  ScanArgument argument{};
  argument.category_inverted = kPresent;
  argument.category_mask = kPresent | kSwapped;
  argument.return_mask = kSwapped;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

PageSet PageScanner::populated_pages(std::uint64_t start, std::uint64_t end) const {
  ScanArgument argument{};
  argument.category_anyof_mask = kPresent | kSwapped;
  argument.return_mask = kPresent;
  PageSet pages;
  scan(pagemap_.get(), argument, start, end, pages);
  return pages;
}

std::optional<PageSet> PageScanner::take_written(std::uint64_t start, std::uint64_t end) const {
  ScanArgument argument{};
  argument.flags = kWriteProtectMatching | kCheckAsync;
  argument.category_mask = kWritten;
  // Without this a page that was never touched would match, and protecting it would make page
  // tables for all of a sparse mapping: gigabytes of them for a JVM. Its first write is seen all
  // the same.
  argument.category_anyof_mask = kPresent | kSwapped;
  argument.return_mask = kWritten;
  PageSet pages;
  if (!scan(pagemap_.get(), argument, start, end, pages)) return std::nullopt;
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/memory_ranges.h"

namespace icecore::snapshot {

/// Asks the kernel about the pages of one process: the PAGEMAP_SCAN ioctl (since Linux 6.7) and the
/// page frame numbers of /proc/PID/pagemap. Addresses are page-aligned. A process that is gone has
/// no pages.
class PageScanner {
 public:
  explicit PageScanner(int pid);

  [[nodiscard]] bool valid() const { return pagemap_.valid(); }

  /// Pages in [start, end) with content of their own: present or swapped, not of the page cache,
  /// not the shared zero page. All others are the file's, or zero.
  [[nodiscard]] PageSet own_pages(std::uint64_t start, std::uint64_t end) const;
  /// Pages in [start, end) without content of their own in anonymous memory: neither present nor
  /// swapped, or the shared zero page (which may carry a "not written" mark). Seven times cheaper
  /// than own_pages() when there are few, as the kernel pays for each page that it reports.
  [[nodiscard]] PageSet missing_pages(std::uint64_t start, std::uint64_t end) const;
  /// Those of own_pages() that are not present: swapped out, or given back (MADV_DONTNEED) in a
  /// private file mapping under watch, where the kernel leaves a marker that looks the same from
  /// here.
  [[nodiscard]] PageSet absent_own_pages(std::uint64_t start, std::uint64_t end) const;
  /// Pages in [start, end) that are mapped by page tables at all (for shared memory).
  [[nodiscard]] PageSet populated_pages(std::uint64_t start, std::uint64_t end) const;
  /// Pages written since the last such call, write-protecting them again; nullopt when the range is
  /// not (wholly) registered for asynchronous write-protection: it is new, moved, or of a new
  /// program.
  [[nodiscard]] std::optional<PageSet> take_written(std::uint64_t start, std::uint64_t end) const;
  /// The same of everything in [start, end) that is registered; what is not is passed over.
  void take_all_written(std::uint64_t start, std::uint64_t end, PageSet& pages) const;
  /// Pages that were written or are not there, taking no marks, for a third of the time; nullopt
  /// when they lie in too many places for that to be worth it.
  [[nodiscard]] std::optional<PageSet> written_or_gone(std::uint64_t start,
                                                       std::uint64_t end) const;
  /// Those of own_pages() whose mapping is not registered for asynchronous write-protection.
  [[nodiscard]] PageSet unwatched_own_pages(std::uint64_t start, std::uint64_t end) const;
  /// Guard pages (MADV_GUARD_INSTALL, since Linux 6.13) need bit 58 of pagemap: see capture_guards.

  /// Page frame numbers of `count` pages from `first` on; 0 for pages that are not present or when
  /// we may not see them (needs CAP_SYS_ADMIN).
  [[nodiscard]] std::vector<std::uint64_t> frames(std::uint64_t first, std::uint64_t count) const;

 private:
  UniqueFd pagemap_;
};

}  // namespace icecore::snapshot

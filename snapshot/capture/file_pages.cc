// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/file_pages.h"

#include <unistd.h>

#include <algorithm>

namespace icecore::snapshot {
PageSet data_pages(int fd, std::uint64_t size) {
  PageSet pages;
  for (std::uint64_t at = 0; at < size;) {
    const off_t data = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0) break;
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0) hole = static_cast<off_t>(size);
    std::uint64_t first = static_cast<std::uint64_t>(data) / store::kPageSize;
    // Blocks smaller than a page: data, a hole and data again in one page.
    if (!pages.empty()) first = std::max(first, pages.back().first + pages.back().count);
    const std::uint64_t end =
        (static_cast<std::uint64_t>(hole) + store::kPageSize - 1) / store::kPageSize;
    if (end > first) append_run(pages, first, end - first);
    at = static_cast<std::uint64_t>(hole);
  }
  return pages;
}

void read_pages(int fd, const PageSet& pages, PageBuffer& buffer,
                std::vector<store::PageRun>& runs) {
  for (const auto& run : pages) {
    for (std::uint64_t done = 0; done < run.count;) {
      const auto bytes = buffer.reserve(run.count - done);
      std::size_t got = 0;
      while (got < bytes.size()) {
        const ssize_t part =
            ::pread(fd, bytes.data() + got, bytes.size() - got,
                    static_cast<off_t>((run.first + done) * store::kPageSize + got));
        if (part <= 0) break;
        got += static_cast<std::size_t>(part);
      }
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(got), bytes.end(), std::byte{0});
      const std::uint64_t count = bytes.size() / store::kPageSize;
      runs.push_back({store::PageRun::Kind::Data, run.first + done, count, bytes.data(), {}});
      done += count;
    }
  }
}

void end_missing_pages(const PageSet& before, const PageSet& now,
                       std::vector<store::PageRun>& runs) {
  for (const auto& run : subtract(before, now)) {
    runs.push_back({store::PageRun::Kind::Absent, run.first, run.count, nullptr, {}});
  }
  std::sort(runs.begin(), runs.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

}  // namespace icecore::snapshot

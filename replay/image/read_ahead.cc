// SPDX-License-Identifier: Apache-2.0
#include "replay/image/read_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "replay/image/touched_files.h"

namespace icecore::replay {
namespace {

constexpr long kCachestat = 451;  // SYS_cachestat, since Linux 6.5; older C libraries lack it
constexpr std::uint64_t kPage = 4096;
// What is read around a page that is needed.
constexpr std::uint64_t kBlock = std::uint64_t{32} << 10U;
// Of one request the kernel reads no more than the disk's read_ahead_kb, whose default this is.
constexpr std::uint64_t kPiece = std::uint64_t{128} << 10U;

// struct cachestat_range and struct cachestat of linux/mman.h.
struct Range {
  std::uint64_t offset;
  std::uint64_t size;
};
struct Cached {
  std::uint64_t pages;
  std::uint64_t dirty;
  std::uint64_t in_writeback;
  std::uint64_t evicted;
  std::uint64_t recently_evicted;
};

UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

/// By samples: the kernel looks at every page that it is asked about, and 200 MB have many.
bool is_cold(int fd, std::uint64_t size) {
  constexpr std::uint64_t kSamples = 16;
  constexpr std::uint64_t kSample = 16 * kPage;
  std::uint64_t pages = 0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    Range part{size / kSamples * i / kPage * kPage, kSample};
    Cached cached{};
    // Where the kernel cannot tell, asking in vain costs less than waiting for a disk.
    if (::syscall(kCachestat, fd, &part, &cached, 0) != 0) return true;
    pages += cached.pages;
  }
  return pages < std::min(kSamples * kSample, size) / kPage / 4 * 3;
}

void read_range(int fd, std::uint64_t offset, std::uint64_t size) {
  for (std::uint64_t done = 0; done < size; done += kPiece) {
    ::posix_fadvise(fd, static_cast<off_t>(offset + done),
                    static_cast<off_t>(std::min(kPiece, size - done)), POSIX_FADV_WILLNEED);
  }
}

std::vector<TouchedRange> ranges_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return parse_touched(text.str());
}

void read_files(const std::vector<TouchedRange>& ranges) {
  UniqueFd fd;
  std::string open;
  for (const auto& range : ranges) {
    if (range.path != open) fd = open_file(range.path);
    open = range.path;
    if (fd.valid()) read_range(fd.get(), range.offset, range.size);
  }
}

/// Parts of the memory's file, in the order in which they are first needed.
std::vector<std::uint64_t> blocks_in_order(const RawMemory& memory, const PageOrder& order) {
  std::vector<std::uint64_t> blocks;
  std::set<std::uint64_t> known;
  for (const auto& stretch : order) {
    for (std::uint64_t page = stretch.first; page < stretch.first + stretch.count; ++page) {
      const auto offset = memory.offset_of(stretch.space, page);
      if (offset && known.insert(*offset / kBlock).second) blocks.push_back(*offset / kBlock);
    }
  }
  return blocks;
}

}  // namespace

ReadAhead::ReadAhead(const RawMemory& memory, const PageOrder& order,
                     const std::filesystem::path& touched) {
  UniqueFd fd = open_file(memory.path());
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!is_cold(fd.get(), size)) return;
  thread_ =
      std::jthread([fd = std::move(fd), size, touched, first = blocks_in_order(memory, order)] {
        for (const std::uint64_t block : first) read_range(fd.get(), block * kBlock, kBlock);
        read_files(ranges_in(touched));
        // Of an image with an order the rest is brought while it runs, and what the start itself
        // reads must not wait behind it.
        if (first.empty()) read_range(fd.get(), 0, size);
      });
}

}  // namespace icecore::replay

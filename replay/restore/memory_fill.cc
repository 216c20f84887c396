// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/memory_fill.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kPage = store::kPageSize;
constexpr std::uint64_t kBufferPages = 64;

/// Collects neighbouring pages and writes them at once. Through /proc/PID/mem, which is not kept
/// from it by the protection of a private mapping.
class Writer {
 public:
  explicit Writer(int pid)
      : fd_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)),
        buffer_(kBufferPages * kPage) {
    if (!fd_.valid()) throw_errno("opening the memory of a puppet");
  }

  /// Where the next page goes; `page` must be written next.
  std::span<std::byte> room(std::uint64_t page) {
    if (count_ > 0 && (page != first_ + count_ || count_ == kBufferPages)) flush();
    if (count_ == 0) first_ = page;
    return std::span(buffer_).subspan(count_ * kPage, kPage);
  }
  void take() { ++count_; }

  void flush() {
    std::size_t done = 0;
    const std::size_t size = count_ * kPage;
    while (done < size) {
      const ssize_t wrote = ::pwrite(fd_.get(), buffer_.data() + done, size - done,
                                     static_cast<off_t>(first_ * kPage + done));
      if (wrote <= 0) throw_errno("writing the memory of a puppet");
      done += static_cast<std::size_t>(wrote);
    }
    count_ = 0;
  }

 private:
  UniqueFd fd_;
  std::vector<std::byte> buffer_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace

void fill_pages(const snapshot::StoredSnapshot& snapshot, std::uint64_t space, int pid,
                const std::vector<PageFill>& fills) {
  if (fills.empty()) return;
  Writer writer(pid);
  for (const auto& fill : fills) {
    for (std::uint64_t page = fill.first; page < fill.first + fill.count; ++page) {
      const auto room = writer.room(page);
      const auto kind = snapshot.reader().read_page(store::SpaceId{space}, page, room);
      if (kind == store::PageVersion::Kind::Absent) continue;
      if (kind == store::PageVersion::Kind::Zero && fill.skip_zero) continue;
      writer.take();
    }
  }
  writer.flush();
}

}  // namespace icecore::replay

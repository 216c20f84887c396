// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/memory_fill.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kBufferPages = 64;
// What one worker takes at a time, and below how much no second one is worth its start.
constexpr std::uint64_t kShare = 256;
constexpr std::uint64_t kWorthAThread = 1024;
constexpr unsigned kMostWorkers = 8;

/// The snapshot's reader, for pages that have to be decoded: most starts of images have none.
using Reader = std::function<const store::SnapshotReader&()>;

/// Collects neighbouring pages and writes them at once. Through /proc/PID/mem, which is not kept
/// from it by the protection of a private mapping.
class Writer {
 public:
  Writer(int pid, const PageSource* source)
      : source_(source),
        fd_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)),
        memory_(std::make_unique_for_overwrite<std::byte[]>(kBufferPages * store::kPageSize)),
        buffer_(memory_.get(), kBufferPages * store::kPageSize) {
    if (!fd_.valid()) throw_errno("opening the memory of a puppet");
  }

  void copy(const Reader& reader, store::SpaceId space, const PageFill& fill) {
    const std::uint64_t end = fill.first + fill.count;
    for (std::uint64_t page = fill.first; page < end; ++page) {
      if (const std::uint64_t taken = take_as_they_are(reader, space, page, end); taken > 0) {
        page += taken - 1;
        continue;
      }
      if (count_ > 0 && (page != first_ + count_ || count_ == kBufferPages)) flush();
      if (count_ == 0) first_ = page;
      const auto room = buffer_.subspan(count_ * store::kPageSize, store::kPageSize);
      const auto kind = reader().read_page(space, page, room);
      if (kind == store::PageVersion::Kind::Absent) continue;
      if (kind == store::PageVersion::Kind::Zero && fill.skip_zero) continue;
      ++count_;
    }
    flush();
  }

 private:
  /// Pages that need not be decoded, from the source or else from the pack; how many were written.
  std::uint64_t take_as_they_are(const Reader& reader, store::SpaceId space, std::uint64_t page,
                                 std::uint64_t end) {
    std::span<const std::byte> bytes;
    if (source_ != nullptr) bytes = source_->pages(static_cast<std::uint64_t>(space), page);
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), (end - page) * store::kPageSize));
    if (bytes.empty()) bytes = reader().raw_pages(space, page, end - page);
    if (bytes.empty()) return 0;
    flush();
    write(page, bytes);
    return bytes.size() / store::kPageSize;
  }

  void flush() {
    write(first_, buffer_.first(count_ * store::kPageSize));
    count_ = 0;
  }

  void write(std::uint64_t page, std::span<const std::byte> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t wrote = ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(page * store::kPageSize + done));
      if (wrote <= 0) throw_errno("writing the memory of a puppet");
      done += static_cast<std::size_t>(wrote);
    }
  }

  const PageSource* source_;

  UniqueFd fd_;
  std::unique_ptr<std::byte[]> memory_;  // not cleared: most fills use a few pages of it
  std::span<std::byte> buffer_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
};

/// Pieces of work that any number of threads take from.
class Shares {
 public:
  explicit Shares(const std::vector<PageFill>& fills) {
    for (PageFill rest : fills) {
      total_ += rest.count;
      while (rest.count > 0) {
        const std::uint64_t count = std::min(rest.count, kShare);
        shares_.push_back({rest.first, count, rest.skip_zero});
        rest.first += count;
        rest.count -= count;
      }
    }
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

  void work(const Reader& reader, const PageSource* source, store::SpaceId space, int pid) {
    Writer writer(pid, source);
    for (std::size_t i = 0; (i = next_++) < shares_.size();) writer.copy(reader, space, shares_[i]);
  }

 private:
  std::vector<PageFill> shares_;
  std::uint64_t total_ = 0;
  std::atomic<std::size_t> next_{0};
};

/// The driver of the puppets stays on their CPU, and threads begin where their maker is.
void use_all_cpus() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

}  // namespace

void fill_pages(const snapshot::StoredSnapshot& snapshot, const PageSource* source,
                std::uint64_t space, int pid, const std::vector<PageFill>& fills) {
  if (fills.empty()) return;
  Shares shares(fills);
  const store::SpaceId id{space};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto help = [&] {
    try {
      use_all_cpus();
      // A reader is one thread's own, and so is its store.
      std::optional<store::Store> store;
      std::optional<store::SnapshotReader> own;
      const auto reader = [&]() -> const store::SnapshotReader& {
        if (!own) {
          store.emplace(
              store::Store::open(snapshot.store().directory(), store::Store::Access::ReadOnly));
          own.emplace(store->read(snapshot.key()));
        }
        return *own;
      };
      shares.work(reader, source, id, pid);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::jthread> helpers;
  const unsigned workers = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
  if (shares.total() >= kWorthAThread) {
    while (helpers.size() + 1 < workers) helpers.emplace_back(help);
  }
  shares.work([&]() -> const store::SnapshotReader& { return snapshot.reader(); }, source, id, pid);
  helpers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace icecore::replay

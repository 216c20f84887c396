// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_copy.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace icecore::snapshot {
namespace {

constexpr std::size_t kMaxVectors = 512;  // of IOV_MAX = 1024; more gains nothing (measured)

}  // namespace

void PageCopier::copy(const PageSet& pages, Protection protection, std::vector<CopiedRun>& copies,
                      PageSet& failed) {
  PageSet rest = pages;
  std::size_t next = 0;
  while (next < rest.size()) {
    std::uint64_t wanted = 0;
    for (std::size_t i = next; i < rest.size() && i < next + kMaxVectors; ++i) {
      wanted += rest[i].count;
    }
    const auto bytes = buffer_.reserve(wanted);
    std::uint64_t room = bytes.size() / store::kPageSize;
    PageSet batch;
    const std::byte* at = bytes.data();
    while (room > 0 && next < rest.size() && batch.size() < kMaxVectors) {
      auto& run = rest[next];
      const std::uint64_t count = std::min(room, run.count);
      batch.push_back({run.first, count});
      copies.push_back({run.first, count, at});
      at += count * store::kPageSize;
      room -= count;
      run.first += count;
      run.count -= count;
      if (run.count == 0) ++next;
    }
    copy_batch(0, batch, bytes, protection, failed);
  }
}

/// Reads `batch` into `bytes`, skipping its first `skip` pages (already there or failed).
void PageCopier::copy_batch(std::uint64_t skip, const PageSet& batch, std::span<std::byte> bytes,
                            Protection protection, PageSet& failed) {
  std::array<iovec, kMaxVectors> remote{};
  for (;;) {
    std::size_t vectors = 0;
    std::uint64_t left_to_skip = skip;
    std::uint64_t first_page = 0;
    for (const auto& run : batch) {
      const std::uint64_t skipped = std::min(left_to_skip, run.count);
      left_to_skip -= skipped;
      if (skipped == run.count) continue;
      if (vectors == 0) first_page = run.first + skipped;
      remote[vectors++] = {reinterpret_cast<void*>((run.first + skipped) * store::kPageSize),
                           (run.count - skipped) * store::kPageSize};
    }
    if (vectors == 0) return;
    if (protection == Protection::Readable) {
      iovec local{bytes.data() + skip * store::kPageSize, bytes.size() - skip * store::kPageSize};
      const ssize_t got = ::process_vm_readv(pid_, &local, 1, remote.data(), vectors, 0);
      if (got >= static_cast<ssize_t>(store::kPageSize)) {
        skip += static_cast<std::uint64_t>(got) / store::kPageSize;
        continue;
      }
    }
    // This page cannot be read the plain way: force it, or give it up, and go on behind it.
    std::byte* destination = bytes.data() + skip * store::kPageSize;
    if (!read_forced(first_page, destination)) {
      std::memset(destination, 0, store::kPageSize);
      append_run(failed, first_page, 1);
    }
    ++skip;
  }
}

bool PageCopier::read_forced(std::uint64_t page, std::byte* out) {
  if (!memory_.valid()) {
    memory_.reset(::open(("/proc/" + std::to_string(pid_) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    if (!memory_.valid()) return false;
  }
  return ::pread(memory_.get(), out, store::kPageSize,
                 static_cast<off_t>(page * store::kPageSize)) ==
         static_cast<ssize_t>(store::kPageSize);
}

}  // namespace icecore::snapshot

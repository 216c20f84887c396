// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/mapped_region.h"
#include "store/types.h"

namespace icecore::snapshot {

/// Memory that pages are copied into while the tree is frozen. It is faulted in beforehand: a fresh
/// page costs more than the copy itself. Chunks come back to the pool when a snapshot is written,
/// so that a recording's steady state allocates nothing. Safe for the tracer and one writer thread.
class BufferPool {
 public:
  static constexpr std::size_t kChunkSize = 8U << 20U;
  /// Free chunks beyond this are given back to the system.
  static constexpr std::size_t kMaxFree = 16;

  [[nodiscard]] MappedRegion take();
  void give_back(MappedRegion chunk);
  /// Makes at least `bytes` ready, within kMaxFree chunks.
  void prepare(std::size_t bytes);

 private:
  std::mutex mutex_;
  std::vector<MappedRegion> free_;
};

/// Pages copied for one snapshot; gives its chunks back to the pool at its end.
class PageBuffer {
 public:
  explicit PageBuffer(std::shared_ptr<BufferPool> pool) : pool_(std::move(pool)) {}
  PageBuffer(PageBuffer&&) = default;
  PageBuffer& operator=(PageBuffer&&) = delete;
  ~PageBuffer();

  /// Room for up to `pages` pages, at least one; the rest needs another call.
  [[nodiscard]] std::span<std::byte> reserve(std::uint64_t pages);
  [[nodiscard]] std::uint64_t bytes_used() const { return used_; }

 private:
  std::shared_ptr<BufferPool> pool_;
  std::vector<MappedRegion> chunks_;
  std::size_t offset_ = 0;  ///< into the last chunk
  std::uint64_t used_ = 0;
};

}  // namespace icecore::snapshot

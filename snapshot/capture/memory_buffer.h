// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/mapped_region.h"
#include "store/types.h"

namespace icecore::snapshot {

/// How much memory copied pages may take until they are stored.
struct BufferLimit {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  /// What is more goes to a nameless file here, from which the kernel can take its pages back.
  std::filesystem::path directory;
};

/// Memory that pages are copied into while the tree is frozen. It is faulted in beforehand: a fresh
/// page costs more than the copy itself. Chunks come back to the pool when a snapshot is written,
/// so that a recording's steady state allocates nothing. Safe for the tracer and one writer thread.
class BufferPool {
 public:
  static constexpr std::size_t kChunkSize = 8U << 20U;
  /// Free chunks beyond this are given back to the system.
  static constexpr std::size_t kMaxFree = 16;

  explicit BufferPool(BufferLimit limit = {}) : limit_(std::move(limit)) {}

  struct Chunk {
    MappedRegion region;
    enum class Place { Memory, File } place = Place::Memory;
  };
  /// Slower when it is beyond the limit, and memory all the same when the file cannot be made.
  [[nodiscard]] Chunk take();
  void give_back(Chunk chunk);
  /// Makes at least `bytes` ready, within kMaxFree chunks and the limit.
  void prepare(std::size_t bytes);
  /// The most bytes that chunks in memory have taken at a time.
  [[nodiscard]] std::uint64_t peak();

 private:
  [[nodiscard]] bool may_grow();
  void grow();
  [[nodiscard]] std::optional<MappedRegion> file_chunk() const;

  BufferLimit limit_;
  std::mutex mutex_;
  std::vector<MappedRegion> free_;
  std::uint64_t in_memory_ = 0;  ///< bytes of all chunks in memory, free ones included
  std::uint64_t peak_ = 0;
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
  std::vector<BufferPool::Chunk> chunks_;
  std::size_t offset_ = 0;  ///< into the last chunk
  std::uint64_t used_ = 0;
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_buffer.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/unique_fd.h"

namespace icecore::snapshot {

std::uint64_t BufferPool::peak() {
  const std::lock_guard lock(mutex_);
  return peak_;
}

void BufferPool::grow() {
  in_memory_ += kChunkSize;
  peak_ = std::max(peak_, in_memory_);
}

/// Whether there may be one chunk more in memory, which is then counted.
bool BufferPool::may_grow() {
  const std::lock_guard lock(mutex_);
  if (in_memory_ + kChunkSize > limit_.bytes) return false;
  grow();
  return true;
}

/// Its blocks are there beforehand: a full disk must not be found out by a SIGBUS in the pause.
std::optional<MappedRegion> BufferPool::file_chunk() const {
  const UniqueFd file(::open(limit_.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid() || ::posix_fallocate(file.get(), 0, kChunkSize) != 0) return std::nullopt;
  return MappedRegion::shared_file(file.get(), kChunkSize);
}

BufferPool::Chunk BufferPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      Chunk chunk{std::move(free_.back())};
      free_.pop_back();
      return chunk;
    }
  }
  if (!may_grow()) {
    if (auto region = file_chunk()) return {std::move(*region), Chunk::Place::File};
    const std::lock_guard lock(mutex_);
    grow();
  }
  return {MappedRegion::anonymous(kChunkSize, MappedRegion::Populate::Yes)};
}

void BufferPool::give_back(Chunk chunk) {
  if (chunk.place == Chunk::Place::File) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < kMaxFree) {
    free_.push_back(std::move(chunk.region));
  } else {
    in_memory_ -= kChunkSize;
  }
}

void BufferPool::prepare(std::size_t bytes) {
  const std::size_t wanted = std::min(kMaxFree, (bytes + kChunkSize - 1) / kChunkSize);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (free_.size() >= wanted) return;
    }
    if (!may_grow()) return;
    give_back({MappedRegion::anonymous(kChunkSize, MappedRegion::Populate::Yes)});
  }
}

PageBuffer::~PageBuffer() {
  for (auto& chunk : chunks_) pool_->give_back(std::move(chunk));
}

std::span<std::byte> PageBuffer::reserve(std::uint64_t pages) {
  if (chunks_.empty() || offset_ == BufferPool::kChunkSize) {
    chunks_.push_back(pool_->take());
    offset_ = 0;
  }
  const std::size_t room = BufferPool::kChunkSize - offset_;
  const std::size_t size = std::min<std::uint64_t>(room, pages * store::kPageSize);
  const auto bytes = chunks_.back().region.bytes().subspan(offset_, size);
  offset_ += size;
  used_ += size;
  return bytes;
}

}  // namespace icecore::snapshot

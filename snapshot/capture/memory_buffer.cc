// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_buffer.h"

#include <algorithm>
#include <utility>

namespace icecore::snapshot {

MappedRegion BufferPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      MappedRegion chunk = std::move(free_.back());
      free_.pop_back();
      return chunk;
    }
  }
  return MappedRegion::anonymous(kChunkSize, MappedRegion::Populate::Yes);
}

void BufferPool::give_back(MappedRegion chunk) {
  const std::lock_guard lock(mutex_);
  if (free_.size() < kMaxFree) free_.push_back(std::move(chunk));
}

void BufferPool::prepare(std::size_t bytes) {
  const std::size_t wanted = std::min(kMaxFree, (bytes + kChunkSize - 1) / kChunkSize);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (free_.size() >= wanted) return;
    }
    give_back(MappedRegion::anonymous(kChunkSize, MappedRegion::Populate::Yes));
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
  const auto bytes = chunks_.back().bytes().subspan(offset_, size);
  offset_ += size;
  used_ += size;
  return bytes;
}

}  // namespace icecore::snapshot

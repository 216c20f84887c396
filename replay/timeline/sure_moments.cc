// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/sure_moments.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "replay/live/live_memory.h"
#include "snapshot/tracing/stopped_thread.h"
#include "snapshot/tracing/syscall_instruction.h"

namespace icecore::replay {
namespace {

constexpr std::size_t kMostMoments = 48;
constexpr std::size_t kMostSharedBytes = std::size_t{4} << 20U;
/// A moment is not taken before so many times its cost have passed.
constexpr int kPatience = 3;

}  // namespace

SureMoment::SureMoment(const LiveProcess& process, std::int32_t maker)
    : maker_(maker), time_(std::chrono::steady_clock::now()) {
  for (const auto& [tid, thread] : process.threads) {
    threads_[tid] = {snapshot::registers_of(tid), snapshot::xstate_of(tid)};
  }
  std::size_t left = kMostSharedBytes;
  for (auto& range : mappings_of(process.pid)) {
    if (!range.shared || !range.writable) continue;
    std::string content;
    if (range.end - range.start <= left) {
      content.resize(range.end - range.start);
      const auto bytes = std::as_writable_bytes(std::span(content));
      content.resize(TracedMemory(maker).read_some(range.start, bytes));
      left -= content.size();
    }
    shared_.push_back({std::move(range), std::move(content)});
  }
  copy_ = copy_process(maker, snapshot::find_syscall_instruction(process.pid));
  LiveMemory(copy_->pid()).clean_copy_of(*process.memory);
}

std::size_t SureMoment::read(std::uint64_t address, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t at = address + done;
    std::uint64_t end = address + out.size();
    const SharedBytes* inside = nullptr;
    for (const SharedBytes& shared : shared_) {
      if (shared.range.start <= at && at < shared.range.end) inside = &shared;
      if (shared.range.start > at) end = std::min(end, shared.range.start);
    }
    if (inside == nullptr) {
      const std::size_t got = copy_->memory().read_some(at, out.subspan(done, end - at));
      done += got;
      if (got < end - at) break;
      continue;
    }
    const std::uint64_t offset = at - inside->range.start;
    if (offset >= inside->content.size()) break;
    const std::size_t size = std::min(out.size() - done, inside->content.size() - offset);
    std::ranges::copy(std::as_bytes(std::span(inside->content).subspan(offset, size)),
                      out.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
  return done;
}

bool SureMoments::is_due() const {
  return std::chrono::steady_clock::now() - tried_ >= kPatience * cost_;
}

void SureMoments::add(const LiveProcess& process, std::int32_t maker) {
  const auto start = std::chrono::steady_clock::now();
  const auto took = [&] {
    tried_ = std::chrono::steady_clock::now();
    cost_ = tried_ - start;
  };
  try {
    moments_.push_back(std::make_shared<SureMoment>(process, maker));
  } catch (const Error&) {
    took();
    throw;
  }
  took();
  if (moments_.size() > kMostMoments) forget(1);
  std::vector<int> copies;
  for (const auto& moment : moments_) copies.push_back(moment->copy());
  if (copy_memory_.is_too_much(process.pid, copies)) forget(moments_.size() / 2);
}

void SureMoments::forget(std::size_t count) {
  moments_.erase(moments_.begin(), moments_.begin() + static_cast<std::ptrdiff_t>(count));
  begin_ += count;
}

}  // namespace icecore::replay

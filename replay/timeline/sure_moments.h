// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "replay/live/live_process.h"
#include "replay/record/memory_map.h"
#include "replay/record/process_copy.h"
#include "replay/timeline/copy_memory.h"

namespace icecore::replay {

/// A process as it stood still once: all of its threads, and its memory in a copy that never runs.
class SureMoment {
 public:
  /// All threads of `process` are stopped. `maker`, one of them, makes the copy; a signal that it
  /// was about to take is the caller's to deliver.
  SureMoment(const LiveProcess& process, std::int32_t maker);

  struct ThreadState {
    user_regs_struct registers{};
    std::string xstate;
  };
  [[nodiscard]] const std::map<std::int32_t, ThreadState>& threads() const { return threads_; }
  [[nodiscard]] std::int32_t maker() const { return maker_; }
  [[nodiscard]] int copy() const { return copy_->pid(); }
  [[nodiscard]] std::chrono::steady_clock::time_point time() const { return time_; }
  /// Bytes read up to the first that is not known: mapped shared memory goes on changing, so that
  /// it can be read only where that is little, and was kept.
  std::size_t read(std::uint64_t address, std::span<std::byte> out) const;

 private:
  struct SharedBytes {
    MappedRange range;
    std::string content;
  };

  std::int32_t maker_;
  std::chrono::steady_clock::time_point time_;
  std::map<std::int32_t, ThreadState> threads_;
  std::vector<SharedBytes> shared_;
  std::unique_ptr<ProcessCopy> copy_;
};

/// What can be gone back to of a process that nobody could run again exactly: each time before it
/// went on, unless that was a moment ago. The oldest go first.
class SureMoments {
 public:
  /// Whether enough time has passed since the last one, by what that cost.
  [[nodiscard]] bool is_due() const;
  /// A failure costs as much patience as a success: a signal that is sent again meanwhile shall
  /// come.
  void add(const LiveProcess& process, std::int32_t maker);
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return begin_ + moments_.size(); }
  [[nodiscard]] std::shared_ptr<const SureMoment> at(std::uint64_t number) const {
    return moments_.at(number - begin_);
  }

 private:
  void forget(std::size_t count);

  std::deque<std::shared_ptr<const SureMoment>> moments_;
  CopyMemory copy_memory_;
  std::uint64_t begin_ = 0;
  std::chrono::steady_clock::time_point tried_;
  std::chrono::steady_clock::duration cost_{};
};

}  // namespace icecore::replay

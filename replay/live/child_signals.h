// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "base/unique_fd.h"

namespace icecore::replay {

/// What the kernel reports of the children and tracees of the calling thread: SIGCHLD as a
/// descriptor, and the wait statuses behind it. SIGCHLD must be blocked in every thread of the
/// process, and nobody else may take it.
class ChildSignals {
 public:
  /// Blocks SIGCHLD in the calling thread.
  ChildSignals();

  struct Status {
    int tid = 0;
    int status = 0;  ///< as waitpid(2) gives it
  };
  /// The next status of any task, without waiting.
  [[nodiscard]] std::optional<Status> next();
  /// That of one task, without waiting. ECHILD is an exit nobody told us about: status 0.
  [[nodiscard]] static std::optional<Status> next_of(int tid);
  /// Sleeps until something is reported or the time is over.
  static void wait(std::chrono::nanoseconds timeout);

  /// Readable when next() may have something, or after announce().
  [[nodiscard]] int descriptor() const { return both_.get(); }
  /// Makes the descriptor readable for something that is known already.
  void announce();
  /// To be called before the statuses are looked at.
  void take_notice();

 private:
  UniqueFd signal_;
  UniqueFd known_;  // an eventfd
  UniqueFd both_;   // an epoll over both
  bool announced_ = false;
};

}  // namespace icecore::replay

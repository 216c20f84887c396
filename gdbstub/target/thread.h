// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace icecore::gdbstub {

/// Names one thread; the leader of a process has tid == pid.
struct ThreadId {
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  auto operator<=>(const ThreadId&) const = default;
};

/// What a client may say where a thread is meant: one, any, or all, of one process or of every one.
struct ThreadSelector {
  static constexpr std::int32_t kAny = 0;
  static constexpr std::int32_t kAll = -1;
  std::int32_t pid = kAny;
  std::int32_t tid = kAny;

  [[nodiscard]] bool matches(ThreadId thread) const {
    return (pid <= 0 || pid == thread.pid) && (tid <= 0 || tid == thread.tid);
  }
  bool operator==(const ThreadSelector&) const = default;
};

struct ThreadDescription {
  ThreadId id;
  std::string name;
  /// The CPU it last ran on, -1 when unknown.
  std::int32_t core = -1;
};

}  // namespace icecore::gdbstub

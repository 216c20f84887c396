// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "gdbstub/target/breakpoints.h"
#include "gdbstub/target/thread.h"

namespace icecore::replay {

/// What a client wants to be told, beyond what it must be.
struct LiveWishes {
  bool forks = false;
  bool vforks = false;
  bool executions = false;
  bool thread_births_and_ends = false;
  /// The other signals are dropped when a process is let go. Empty optional: none are.
  std::optional<std::set<int>> deliverable_signals;
  /// Delivered without a stop, unless the thread is being stepped.
  std::set<int> passed_signals;
  /// By pid: the system calls to stop at; an empty set is all of them.
  std::map<std::int32_t, std::set<std::int64_t>> system_calls;
  /// Whether a thread that has come to this breakpoint (Software or Hardware) shall stop there.
  std::function<bool(gdbstub::ThreadId thread, const gdbstub::Breakpoint& breakpoint)> stops_at;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

// Signals are Linux numbers; the packet layer translates them for clients that want others.

struct Signalled {
  int signal = 5;
};
struct HitBreakpoint {
  enum class Kind { Software, Hardware };
  Kind kind = Kind::Software;
};
struct HitWatchpoint {
  enum class Kind { Write, Read, Access };
  Kind kind = Kind::Write;
  std::uint64_t address = 0;
};
/// There is no more history in the direction of travel.
struct ReachedHistoryEnd {
  enum class Which { Begin, End };
  Which which = Which::Begin;
};
/// The client should read the list of libraries anew. It resumes by itself afterwards, so a target
/// keeps the real reason of the stop and reports it at the next resume.
struct LibrariesChanged {};
struct Forked {
  enum class Kind { Fork, VFork };
  Kind kind = Kind::Fork;
  ThreadId child;
};
struct VForkDone {};
struct Executed {
  std::string path;
};
struct SystemCallStop {
  enum class Side { Entry, Return };
  Side side = Side::Entry;
  std::int64_t number = 0;
};
struct ThreadStarted {};
struct ThreadExited {
  int code = 0;
};
struct ProcessExited {
  int code = 0;
};
struct ProcessKilled {
  int signal = 0;
};
/// Every resumed thread is gone, others are still stopped.
struct NothingResumed {};

using StopReason =
    std::variant<Signalled, HitBreakpoint, HitWatchpoint, ReachedHistoryEnd, LibrariesChanged,
                 Forked, VForkDone, Executed, SystemCallStop, ThreadStarted, ThreadExited,
                 ProcessExited, ProcessKilled, NothingResumed>;

/// What happened, and to whom. For ProcessExited and ProcessKilled only thread.pid counts.
struct StopEvent {
  ThreadId thread;
  StopReason reason;
};

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::gdbstub {

/// The events of processes and threads that a client wants to be stopped for. What is not wanted
/// happens without a stop: then a forked process is let go at once, and a program that executes
/// another is reported as a plain SIGTRAP stop.
struct WantedEvents {
  bool forks = false;    ///< Forked with Kind::Fork; the child stands still, too
  bool vforks = false;   ///< Forked with Kind::VFork, later VForkDone
  bool execs = false;    ///< Executed
  bool threads = false;  ///< ThreadStarted, ThreadExited
};

class EventChoice {
 public:
  virtual ~EventChoice() = default;
  /// Replaces what was wanted before; holds for all processes, those to come included.
  virtual void want(const WantedEvents& events) = 0;
};

}  // namespace icecore::gdbstub

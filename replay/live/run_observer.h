// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "replay/live/live_process.h"

namespace icecore::replay {

/// Sees the processes of a LiveTree run: told of stops that no client is told of, and before
/// threads go on. It may make a stopped thread run calls of its own, but leaves it where it was.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  /// The thread is stopped and is about to go on. Whether it shall stop at system calls.
  virtual bool before_run(LiveProcess& process, LiveThread& thread) = 0;
  /// It will be stepped. Whether the instruction that it is at, or in, is a system call, which is
  /// then stepped by its entry and its exit.
  virtual bool steps_call(const LiveThread& thread) = 0;
  /// At the entry or the exit of a system call.
  virtual void at_call(LiveProcess& process, LiveThread& thread) = 0;
  /// Stopped by SIGSEGV. Whether that was not the program's: it has been dealt with.
  virtual bool takes_fault(const LiveThread& thread) = 0;
  /// It is about to get a signal. Whether it has got it now, and stands in front of its handler.
  virtual bool delivers(LiveProcess& process, const LiveThread& thread, int signal) = 0;
  /// Now and then, while threads run or not.
  virtual void time_passed(LiveProcess& process) = 0;
  /// It has executed something that this could not see.
  virtual void missed(const LiveThread& thread, const char* what) = 0;
  /// A process of ours has made another one, which stands before its first instruction.
  virtual void born(std::int32_t parent, std::int32_t child) = 0;
  /// The process has executed another program, or is gone.
  virtual void forget(std::int32_t pid) = 0;
  /// It will run without us.
  virtual void let_go(LiveProcess& process) = 0;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gdbstub/target/execution.h"
#include "gdbstub/target/stop_reason.h"
#include "replay/live/live_memory.h"
#include "replay/live/watch_slots.h"

namespace icecore::replay {

/// One traced thread. What the client wants of it and what the kernel has it do are two things:
/// threads stop and go on under our eyes without the client knowing.
struct LiveThread {
  enum class State {
    Running,
    Stopped,    ///< in a ptrace stop: everything can be read and written
    Listening,  ///< in a job-control stop, left to its SIGCONT; runs in the client's eyes
    Suspended,  ///< waits inside the kernel for its vfork child; cannot be read nor stopped
  };
  gdbstub::ThreadId id;
  State state = State::Stopped;
  /// How it goes on when nothing keeps it; nullopt while the client has it stopped.
  std::optional<gdbstub::ResumeAction> wanted;
  /// Asked by PTRACE_INTERRUPT to stop, and not stopped yet.
  bool interrupted = false;
  /// That stop is to be told as this signal (SIGINT for Ctrl-C, 0 in non-stop mode).
  std::optional<int> told_as;
  /// The signal that this stop was about to deliver; it is when the thread goes on.
  int signal = 0;
  /// Only from such a stop a signal can be delivered by resuming.
  bool in_signal_stop = false;
  /// Signals that we have sent for the client: they are delivered without telling it again.
  /// With the siginfo that they had before, if any.
  std::multimap<int, std::string> injected;
  /// Non-zero in a job-control stop.
  int group_stop = 0;
  /// Resumed by PTRACE_SINGLESTEP the last time.
  bool stepped = false;
  /// What it stopped for and the client does not know yet.
  std::optional<gdbstub::StopReason> unreported;
  /// What it stopped for the last time that the client was told.
  gdbstub::StopReason reported = gdbstub::Signalled{};
  /// Registers of this stop, once read.
  std::optional<user_regs_struct> registers;
  std::optional<std::string> xstate;

  [[nodiscard]] bool runs() const { return state == State::Running || state == State::Listening; }
};

/// One traced process.
struct LiveProcess {
  /// Ours die with us; those that we only attached to live on.
  enum class Ownership { Ours, Theirs };
  /// Hidden ones are traced because they share memory with a shown one (vfork).
  enum class Visibility { Shown, Hidden };

  std::int32_t pid = 0;
  std::int32_t parent = 0;
  Ownership ownership = Ownership::Ours;
  Visibility visibility = Visibility::Shown;
  std::shared_ptr<LiveMemory> memory;
  WatchSlots watches;
  std::map<std::int32_t, LiveThread> threads;
};

}  // namespace icecore::replay

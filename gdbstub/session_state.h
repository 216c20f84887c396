// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gdbstub/breakpoint_orders.h"
#include "gdbstub/session_news.h"
#include "gdbstub/stop_notifications.h"
#include "gdbstub/target/event_choice.h"
#include "gdbstub/target/launching.h"
#include "gdbstub/target/target.h"
#include "gdbstub/thread_id.h"

namespace icecore::gdbstub {

/// What one client has said about itself and chosen so far. Commands read and change it.
struct SessionState {
  enum class Client { Gdb, Lldb };
  enum class Ending { None, Detached, Killed, Exit };

  Client client = Client::Gdb;
  Ending ending = Ending::None;
  bool acknowledge = true;
  bool stop_acknowledging = false;  // once the reply to QStartNoAckMode is out
  bool multiprocess = false;
  bool software_breakpoints = false;  // the client knows "swbreak"
  bool hardware_breakpoints = false;
  bool thread_suffix = false;            // lldb: "g;thread:N"
  bool threads_in_stop_replies = false;  // lldb: "threads:..."
  bool error_strings = false;            // lldb: "E01;<hex>"
  bool extended = false;                 // the connection outlives the processes
  bool non_stop = false;

  /// What QThreadEvents and the offers in qSupported amount to.
  WantedEvents wanted_events;
  /// How vRun starts programs; QEnvironment and its like change it.
  LaunchRequest launch;
  /// Stops that a client in non-stop mode has still to fetch.
  StopNotifications notifications;
  /// Prints on the client's console while the target runs.
  std::shared_ptr<const ConsoleSink> console;
  NewsSink news;  ///< may be empty
  /// lldb: registers put aside before it calls a function, by the number that it was told.
  struct SavedRegisters {
    ThreadId thread;
    RegisterValues values;
  };
  std::map<std::uint64_t, SavedRegisters> saved_registers;

  /// The thread of the last Hg, and of the last Hc.
  ThreadId general;
  ThreadSelector resumed;
  /// The processes that the client is shown: the first one, those that it attached to or started,
  /// and the children that it was told of. gdb 13 takes a process that merely appears for one
  /// without a register description, and crashes over it.
  std::vector<std::int32_t> processes;

  /// Whose files vFile means, 0 for the target's own.
  std::int32_t file_process = 0;

  /// The qXfer object that is being read in pieces.
  std::string transfer_name;
  std::string transfer;
  /// Thread ids that qsThreadInfo has still to tell.
  std::deque<ThreadId> untold_threads;

  /// From now on this process is shown, and what is said next is about this thread.
  void show(ThreadId thread);
  /// This process is gone, in the way that `what` says.
  void forget(const SessionNews& what);
  void report(const SessionNews& what) const {
    if (news) news(what);
  }

  [[nodiscard]] ThreadIdForm id_form() const {
    return multiprocess ? ThreadIdForm::WithProcess : ThreadIdForm::TidOnly;
  }
};

/// What a command works on.
struct Context {
  Target& target;
  SessionState& state;

  /// The threads that this client is shown: lldb, and a gdb without multiprocess, knows one
  /// process.
  [[nodiscard]] std::vector<ThreadDescription> threads() const;
  /// The first thread that `selector` means, the current one for "any". Throws when there is none.
  [[nodiscard]] ThreadId resolve(ThreadSelector selector) const;
  /// Throws MalformedPacket on text that names no thread.
  [[nodiscard]] ThreadId resolve(std::string_view text) const;
};

}  // namespace icecore::gdbstub

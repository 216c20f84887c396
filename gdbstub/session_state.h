// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

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

  /// The thread of the last Hg, and of the last Hc.
  ThreadId general;
  ThreadSelector resumed;
  /// The processes that the client is shown: the first one and those that it attached to. gdb 13
  /// takes a process that merely appears for one without a register description, and crashes over
  /// it.
  std::vector<std::int32_t> processes;

  /// Whose files vFile means, 0 for the target's own.
  std::int32_t file_process = 0;

  /// The qXfer object that is being read in pieces.
  std::string transfer_name;
  std::string transfer;
  /// Thread ids that qsThreadInfo has still to tell.
  std::deque<ThreadId> untold_threads;

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

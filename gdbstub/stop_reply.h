// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gdbstub/session_state.h"
#include "gdbstub/target/stop_reason.h"

namespace icecore::gdbstub {

/// The packet that tells this client what happened: "T05thread:p1.1;...", "W00;process:1".
[[nodiscard]] std::string stop_reply(const Context& context, const StopEvent& event);

/// The signal that stands for `reason` in jThreadsInfo and qThreadStopInfo, and lldb's word for it.
struct StopSummary {
  int signal = 0;
  std::string word;
};
[[nodiscard]] StopSummary summarize(const StopReason& reason);

}  // namespace icecore::gdbstub

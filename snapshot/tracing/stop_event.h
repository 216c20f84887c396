// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::snapshot {

/// Which ptrace event a wait status tells of (PTRACE_EVENT_*, see ptrace(2)).
enum class StopEventKind {
  None,  ///< a signal-delivery stop or a system call stop
  Stop,  ///< PTRACE_INTERRUPT, job control, or the first stop of a newborn task
  Fork,
  VFork,
  Clone,
  Execution,
  VForkDone,
  Other
};
[[nodiscard]] StopEventKind stop_event_kind(int wait_status);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/stop_event.h"

#include <sys/ptrace.h>

namespace icecore::snapshot {

StopEventKind stop_event_kind(int wait_status) {
  switch (wait_status >> 16) {
    case 0:
      return StopEventKind::None;
    case PTRACE_EVENT_STOP:
      return StopEventKind::Stop;
    case PTRACE_EVENT_FORK:
      return StopEventKind::Fork;
    case PTRACE_EVENT_VFORK:
      return StopEventKind::VFork;
    case PTRACE_EVENT_CLONE:
      return StopEventKind::Clone;
    case PTRACE_EVENT_EXEC:
      return StopEventKind::Execution;
    case PTRACE_EVENT_VFORK_DONE:
      return StopEventKind::VForkDone;
    default:
      return StopEventKind::Other;
  }
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/process.pb.h"
#include "snapshot/tracing/remote_process.h"

namespace icecore::snapshot {

/// What only the process itself can ask for: signal actions, interval timers, POSIX timer settings,
/// dumpable and the like, and per thread the alternate stack, the clear_child_tid address and the
/// parent-death signal. One batch per thread. `caught` and `ignored` are the masks of
/// /proc/PID/status; only signals in them (and SIGCHLD) can have an action worth asking for.
void capture_remote_state(RemoteProcess& remote, std::uint64_t caught, std::uint64_t ignored,
                          model::Process& process);

}  // namespace icecore::snapshot

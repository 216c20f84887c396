// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/capture/namespaces.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// Fills everything of `process` that /proc tells of the process as a whole, but for its threads,
/// mappings and descriptors. Meant for the pause: no file is read that the kernel needs long for.
///
/// State::STOPPED is told only of a process that nobody traces: while icecore holds it, the tracer
/// knows better. Not in /proc, so left to remote system calls: signal actions, interval timers,
/// what is left of POSIX timers, securebits, child_subreaper, and dumpable where the kernel is
/// older than 6.16.
void capture_process_state(const ProcDirectory& directory, const OwnNamespaces& own,
                           model::Process& process);

/// Its two parts: what others may change (limits, session, working directory ...), and what only
/// the process itself changes, by running.
void capture_open_state(const ProcDirectory& directory, model::Process& process);
void capture_own_state(const ProcDirectory& directory, const OwnNamespaces& own,
                       model::Process& process);
/// What others may have changed since capture_open_state() of a process that has not run since.
/// False when it cannot be told.
bool refresh_open_state(const ProcDirectory& directory, model::Process& process);
/// In place of capture_own_state() and of remote system calls: what they found in `before`, for a
/// process without timers that has not run since.
void keep_own_state(const model::Process& before, model::Process& process);

/// PR_GET_DUMPABLE of a process, 0 to 2, from the outside; -1 when the kernel does not tell it.
int read_dumpable(int pid);

}  // namespace icecore::snapshot

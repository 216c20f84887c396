// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/process.pb.h"
#include "snapshot/proc/status.h"

namespace icecore::snapshot {

/// Whether the thread is on its own or held by icecore. Of a held thread /proc tells where icecore
/// holds it, not where it waited: its system call and state come with its registers
/// (capture_registers), its timer slack by a remote call; its wait channel is unknown.
enum class Activity { Running, Held };

/// Fills what /proc tells of thread `tid`; registers, queued signals, altstack, robust list and
/// rseq come from the tracer. `thread.credentials` only when they differ from
/// `process.credentials`, which must be filled already. Returns false when the thread is gone.
bool capture_thread_state(const ProcDirectory& directory, int tid, Activity activity,
                          const model::Process& process, model::Thread& thread);

/// The two parts of it for a held thread, where one of them is known already: what
/// /proc/PID/task/TID/status tells, and what stat tells (false when the thread is gone).
std::optional<proc::Status> read_thread_status(const ProcDirectory& directory, int tid);
void fill_thread_status(const proc::Status& status, const model::Process& process,
                        model::Thread& thread);
bool fill_thread_stat(const ProcDirectory& directory, int tid, model::Thread& thread);
/// What others may have changed of a thread that did not run since it was captured: what status
/// tells but for its signal mask (a call that waits with another mask shows that one), and
/// scheduling.
void refresh_thread(const proc::Status& status, const model::Process& process,
                    model::Thread& thread);

/// What it waits in: "do_epoll_wait"; worth reading only before the freeze.
void capture_wait_channel(const ProcDirectory& directory, int tid, model::Thread& thread);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/process.pb.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// What only ptrace tells of a stopped thread: registers, extended state, signal mask, private
/// queue, rseq, robust list, the signal about to be delivered. False when the thread died
/// meanwhile.
bool capture_registers(TracedThread& traced, model::Thread& thread);

/// How long it sleeps by now in a call whose time limit the kernel keeps, if that is known.
void refresh_slept_time(const TracedThread& traced, model::Thread& thread);

/// The private queue of pending signals, if thread.pending_mask says that there are any.
void capture_private_pending(const TracedThread& traced, model::Thread& thread);

/// The shared queue of pending signals, read through one stopped thread.
void capture_shared_pending(const TracedThread& traced, model::Process& process);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Makes the threads beside the first one, with their tids. They are stopped before their first
/// instruction, and noted in `process.threads`.
void make_threads(RestoredProcess& process);

/// What a thread itself must ask the kernel for: robust list, rseq, alternate stack, name.
void set_thread_state(const model::Thread& thread, CallBatch& batch);

/// A call that slept with a time limit goes on with what is left of it: the thread begins it again
/// and is interrupted, which leaves the rest in the kernel. The last call of the thread before its
/// registers are set; returns the registers to set.
std::string resume_limited_call(RestoredProcess& process, const model::Thread& thread, int tid);

/// A first thread that had ended while others lived on.
void end_leader(RestoredProcess& process);

}  // namespace icecore::replay

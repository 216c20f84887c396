// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/restore/restored_process.h"
#include "replay/restore/restorer.h"

namespace icecore::replay {

/// Takes the area out of the process and gives all its threads their registers: from here on
/// nothing of ours is in it.
void set_registers(RestoredProcess& process);

/// Leaves all threads in their stops, for another user of the same tracing thread. A process that
/// was in a job-control stop has the signal for it pending.
[[nodiscard]] TracedLife keep_traced(RestoredProcess& process);

/// Lets all threads run, or leaves them stopped (SIGSTOP) when `stopped` or when they were.
void release(RestoredProcess& process, bool stopped);

}  // namespace icecore::replay

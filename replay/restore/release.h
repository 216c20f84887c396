// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/restore/restored_process.h"
#include "replay/restore/restorer.h"

namespace icecore::replay {

/// Takes the area out of the process and gives all its threads their registers: from here on
/// nothing of ours is in it.
void set_registers(RestoredProcess& process);

/// Leaves all threads in their stops, for another user of the same tracing thread; with
/// `stop_signal`, when that is not 0, pending.
[[nodiscard]] TracedLife keep_traced(RestoredProcess& process, int stop_signal);

/// Lets all threads run, or stops them by `stop_signal` when that is not 0.
void release(RestoredProcess& process, int stop_signal);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Signal actions of the process; whatever is pending from the making of it is thrown away.
void set_signal_actions(RestoredProcess& process);

/// Puts the saved signals into the queues of the process and of its threads, in their order. All
/// signals must be blocked.
void queue_signals(RestoredProcess& process);

}  // namespace icecore::replay

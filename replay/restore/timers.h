// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Interval timers and POSIX timers, with their ids and what was left of their time. They run from
/// here on.
void set_timers(RestoredProcess& process);

}  // namespace icecore::replay

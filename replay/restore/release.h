// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Takes the area out of the process and gives all its threads their registers: from here on
/// nothing of ours is in it.
void set_registers(RestoredProcess& process);

/// Lets all threads run, or leaves them stopped (SIGSTOP) when `stopped` or when they were.
void release(RestoredProcess& process, bool stopped);

}  // namespace icecore::replay

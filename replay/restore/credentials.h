// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Ids, groups, capabilities and securebits of a thread: the last of its calls that need rights.
void set_credentials(RestoredProcess& process, const model::Thread& thread, int tid);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// What brings a process of the snapshot back into its job-control stop: the signal that had
/// stopped it where that does so again, else SIGSTOP; 0 when it was not stopped.
[[nodiscard]] int stop_signal(const model::Snapshot& snapshot, const model::Process& process);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// What of processes, threads and memory this restore, machine or kernel cannot make again, and
/// what the snapshot itself says that it does not hold. docs/restore.md has the same as a table.
[[nodiscard]] Refusals check_support(const snapshot::StoredSnapshot& snapshot);

}  // namespace icecore::replay

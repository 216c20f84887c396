// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The snapshot with its root only, and of that only the mappings that a fork keeps as they are:
/// private ones, without locks, seals, guards, or advice about forks.
[[nodiscard]] model::Snapshot bank_model(const model::Snapshot& snapshot);

}  // namespace icecore::replay

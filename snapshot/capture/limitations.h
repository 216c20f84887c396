// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Adds to `snapshot` what its model alone shows it cannot hold, or no restore can bring back:
/// mappings whose content is not held, and objects of kinds that the table in the .cc names. Looks
/// at nothing but the model, so it has time until the tree runs again; once, after
/// capture_mapping_flags().
void list_limitations(model::Snapshot& snapshot);

/// Whether no restore is possible with it: the tree would go on with something else than it had.
[[nodiscard]] bool keeps_from_restore(const model::Limitation& limitation);

}  // namespace icecore::snapshot

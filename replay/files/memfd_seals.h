// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/lost_files.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The seals of all memfds that somebody has open: last, when they are filled and mapped as they
/// were (a seal against writing keeps new writable mappings out, not old ones).
void restore_seals(const model::Snapshot& snapshot, const LostFiles& lost);

}  // namespace icecore::replay

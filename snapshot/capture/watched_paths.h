// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Fills OpenFile.watches of inotify descriptors from the kernel's lines about them, which name the
/// watched objects by file handle only. May run when the tree does again: a name that changes in
/// between is found by the handle as well.
void find_watched_paths(model::Snapshot& snapshot);

}  // namespace icecore::snapshot

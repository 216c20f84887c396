// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Fills Snapshot.ipc_namespaces, and the names of UTS namespaces, for those that the tree does not
/// share with icecore: their objects belong to no process. While the tree is frozen. A namespace
/// that cannot be entered is not listed.
void capture_ipc_objects(model::Snapshot& snapshot);

/// The ids of the System V semaphore sets in the calling thread's IPC namespace.
[[nodiscard]] std::vector<int> semaphore_sets();

}  // namespace icecore::snapshot

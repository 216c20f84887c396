// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// The model of the tree of process `root` while it runs, from /proc alone: nothing is frozen,
/// traced or copied, so registers and memory are not in it. Limitations are listed, of what can be
/// known before a freeze. Processes that end meanwhile are left out, and those whose /proc may not
/// be read keep empty fields. Without processes when there is no `root`. To be traced by the
/// process `recorder`, an icecore that holds the tree, counts as not being traced.
model::Snapshot view_live_tree(int root, int recorder = 0);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Fills OpenFile.epoll_targets, once all descriptors of the frozen tree are there. An epoll keeps
/// the file that it was given, also when the number leads elsewhere by now; which file it is, is
/// asked by kcmp(2) where inode numbers do not tell.
void find_epoll_targets(model::Snapshot& snapshot);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/capture/pipes.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Fills OpenFile.peers and peer_outside of pipes and sockets, and Socket.peer_inode of unix
/// sockets, once all open files of the tree are there. A connection that still waits to be accepted
/// has the listening socket as its peer.
void link_peers(model::Snapshot& snapshot, const PipeCapture& pipes);

}  // namespace icecore::snapshot

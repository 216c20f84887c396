// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// Fills `file.socket`: kind, addresses, state, queues, options, through `borrowed`, a duplicate of
/// its descriptor. Peers of unix sockets come from UnixSockets.
void capture_socket(int borrowed, model::OpenFile& file);

}  // namespace icecore::snapshot

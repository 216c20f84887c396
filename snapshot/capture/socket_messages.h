// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// One message of a receive queue; `message.descriptions` is for the caller to fill.
struct PeekedMessage {
  model::SocketMessage message;
  std::vector<UniqueFd> descriptors;
};

/// Whether something waits in it that peek_messages() can read: unix and UDP sockets, connected
/// TCP sockets.
bool has_readable_queue(const model::Socket& socket);

/// What waits in the receive queue of the socket behind `borrowed`, taking nothing out; nullopt
/// when that cannot be told or is more than a snapshot keeps. Datagrams come one by one. Of a
/// stream each part ends where descriptors or another sender's credentials do; where in the part
/// the descriptors began the kernel does not tell.
std::optional<std::vector<PeekedMessage>> peek_messages(int borrowed, const model::Socket& socket);

}  // namespace icecore::snapshot

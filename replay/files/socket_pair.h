// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"
#include "replay/restore/puppet.h"
#include "snapshot/model/file.pb.h"

namespace icecore::replay {

struct SocketPair {
  UniqueFd first;
  UniqueFd second;
};

/// A pair of unix sockets, nonblocking. Throws.
[[nodiscard]] SocketPair make_socket_pair(int type);

/// The same made by `puppet`, with the recorded user and group, as the peer credentials
/// (SO_PEERCRED) of both ends will tell for ever. Throws.
[[nodiscard]] SocketPair make_socket_pair_as(Puppet& puppet, const model::Socket& socket);

}  // namespace icecore::replay

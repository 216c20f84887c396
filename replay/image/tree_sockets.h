// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace icecore::replay {

/// A TCP socket of a living tree, as /proc/net/tcp and tcp6 show it.
struct TreeSocket {
  int port = 0;         ///< local
  int remote_port = 0;  ///< 0 when it listens
  bool listening = false;
  /// Both ends on this machine and in the tree.
  bool inside = false;
};

/// Those of `root` and all its descendants, in our network namespace.
[[nodiscard]] std::vector<TreeSocket> tree_sockets(int root);

/// The ports that they listen on, ascending, each once.
[[nodiscard]] std::vector<int> listening_ports(const std::vector<TreeSocket>& sockets);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "snapshot/model/file.pb.h"

namespace icecore::replay {

inline constexpr int kListening = 10;  ///< TCP_LISTEN, also of unix sockets in sock_diag

struct SocketOwner {
  int pid = 0;       ///< 0: a process that we cannot see, or nobody
  std::string text;  ///< "process 12 (redis-server)", "a process that we cannot see"; empty: nobody
};

/// Who has the socket with that inode open.
[[nodiscard]] SocketOwner owner_of_socket(std::uint64_t inode);

/// Who has a TCP or UDP socket on the recorded local port.
[[nodiscard]] SocketOwner owner_of_port(const model::Socket& socket);

}  // namespace icecore::replay

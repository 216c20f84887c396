// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "snapshot/model/file.pb.h"

namespace icecore::replay {

inline constexpr int kListening = 10;  ///< TCP_LISTEN, also of unix sockets in sock_diag

/// Who has the socket with that inode open: "process 12 (redis-server)", or "a process that we
/// cannot see".
[[nodiscard]] std::string owner_of_socket(std::uint64_t inode);

/// Who has a TCP or UDP socket on the recorded local port; empty when nobody was found.
[[nodiscard]] std::string owner_of_port(const model::Socket& socket);

}  // namespace icecore::replay

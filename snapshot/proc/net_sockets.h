// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// A line of /proc/net/tcp, tcp6, udp or udp6.
struct NetSocket {
  /// Address and port as the kernel writes them ("0100007F:1A0B"): good for comparing.
  std::string local;
  std::string remote;
  int local_port = 0;
  int remote_port = 0;      ///< 0 without a peer
  unsigned state = 0;       ///< TCP_ESTABLISHED (1) ... TCP_LISTEN (10)
  std::uint64_t inode = 0;  ///< 0 when no descriptor holds it any more
};

/// All of one such file; lines that are none are passed over.
std::vector<NetSocket> parse_net_sockets(std::string_view text);

}  // namespace icecore::snapshot::proc

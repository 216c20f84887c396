// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace icecore::snapshot::proc {

/// One unix socket as sock_diag(7) tells it.
struct UnixSocket {
  std::uint64_t inode = 0;
  int type = 0;                        ///< SOCK_*
  int state = 0;                       ///< TCP_ESTABLISHED, TCP_LISTEN or TCP_CLOSE
  std::uint64_t peer = 0;              ///< inode, 0 when there is none
  std::string name;                    ///< with a leading zero byte when abstract
  std::vector<std::uint64_t> waiting;  ///< peers of connections that were not accepted yet
  std::uint64_t receive_queue = 0;
  std::uint64_t send_queue = 0;  ///< of a listening one: the backlog
  unsigned shut_down = 0;        ///< bit 0: receiving, bit 1: sending
};

/// Appends the sockets of one netlink datagram. Returns whether more datagrams follow. Throws Error
/// when the kernel reports one.
bool parse_unix_diag(std::span<const std::byte> datagram, std::vector<UnixSocket>& sockets);

}  // namespace icecore::snapshot::proc

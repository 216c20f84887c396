// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/makers.h"

namespace icecore::replay {

// TCP, UDP, ICMP and raw sockets over IPv4 and IPv6. make_inet_sockets() makes all of the
// snapshot's: connections first, by sockets that listen for a moment, so that nobody else can come
// in between; then what listens.
void make_inet_sockets(Making& making);
Objection check_inet_socket(const Checking& checking, const model::OpenFile& file);
void fill_inet_socket(Making& making, const model::OpenFile& file);

/// Which part of a TCP connection `file` has; null when it has no other end in the tree.
const model::OpenFile* tcp_partner(const model::Snapshot& model, const model::OpenFile& file);
[[nodiscard]] bool is_tcp_connection(const model::OpenFile& file);

/// Both ends of a connection made anew between the recorded addresses. Throws.
struct TcpEnds {
  UniqueFd first;
  UniqueFd second;
};
/// By a connection that is really opened, with empty queues: for those who may do nothing better.
[[nodiscard]] TcpEnds connect_ends(const model::OpenFile& first, const model::OpenFile& second);
/// By TCP_REPAIR, with what waited in their queues; needs CAP_NET_ADMIN.
[[nodiscard]] TcpEnds repaired_ends(const model::OpenFile& first, const model::OpenFile& second);
[[nodiscard]] bool may_repair(int fd);
/// bind(2) though connections that have ended still hold the port for a minute, where we may.
void bind_in_spite_of_the_past(int fd, const model::Socket& socket);
/// A socket whose connection was reset by the other side.
[[nodiscard]] UniqueFd reset_connection(const model::OpenFile& file);
/// connect(2) to the recorded remote address, waiting for the end of it. Throws.
void connect_remote(int fd, const model::Socket& socket);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace icecore::snapshot {
namespace {

// Which sockets have an option.
enum Applies : std::uint8_t {
  kAll = 1,
  kInet4 = 2,
  kInet6 = 4,
  kTcp = 8,
};

struct Row {
  int level;
  int name;
  std::uint8_t applies;
};

// SO_BUF_LOCK, since Linux 5.15: whether the program or the kernel chose the sizes of buffers.
constexpr int kBufferLock = 72;

constexpr std::array kOptions = {
    Row{SOL_SOCKET, SO_REUSEADDR, kAll},
    Row{SOL_SOCKET, SO_REUSEPORT, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_KEEPALIVE, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_BROADCAST, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_OOBINLINE, kTcp},
    Row{SOL_SOCKET, SO_LINGER, kTcp},
    Row{SOL_SOCKET, SO_SNDBUF, kAll},
    Row{SOL_SOCKET, SO_RCVBUF, kAll},
    Row{SOL_SOCKET, kBufferLock, kAll},  // behind the sizes, whose setting locks them
    Row{SOL_SOCKET, SO_RCVLOWAT, kAll},
    Row{SOL_SOCKET, SO_RCVTIMEO, kAll},
    Row{SOL_SOCKET, SO_SNDTIMEO, kAll},
    Row{SOL_SOCKET, SO_PASSCRED, kAll},
    Row{SOL_SOCKET, SO_PEEK_OFF, kAll},
    Row{SOL_SOCKET, SO_PRIORITY, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_MARK, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_BINDTODEVICE, kInet4 | kInet6},
    Row{SOL_SOCKET, SO_TIMESTAMP, kAll},
    Row{SOL_SOCKET, SO_TIMESTAMPNS, kAll},
    Row{IPPROTO_IP, IP_TOS, kInet4},
    Row{IPPROTO_IP, IP_TTL, kInet4},
    Row{IPPROTO_IP, IP_MTU_DISCOVER, kInet4},
    Row{IPPROTO_IP, IP_PKTINFO, kInet4},
    Row{IPPROTO_IP, IP_RECVERR, kInet4},
    Row{IPPROTO_IP, IP_FREEBIND, kInet4},
    Row{IPPROTO_IP, IP_TRANSPARENT, kInet4},
    Row{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, kInet4},
    Row{IPPROTO_IP, IP_MULTICAST_TTL, kInet4},
    Row{IPPROTO_IP, IP_MULTICAST_LOOP, kInet4},
    Row{IPPROTO_IPV6, IPV6_V6ONLY, kInet6},
    Row{IPPROTO_IPV6, IPV6_UNICAST_HOPS, kInet6},
    Row{IPPROTO_IPV6, IPV6_TCLASS, kInet6},
    Row{IPPROTO_IPV6, IPV6_RECVPKTINFO, kInet6},
    Row{IPPROTO_TCP, TCP_NODELAY, kTcp},
    Row{IPPROTO_TCP, TCP_CORK, kTcp},
    Row{IPPROTO_TCP, TCP_MAXSEG, kTcp},
    Row{IPPROTO_TCP, TCP_KEEPIDLE, kTcp},
    Row{IPPROTO_TCP, TCP_KEEPINTVL, kTcp},
    Row{IPPROTO_TCP, TCP_KEEPCNT, kTcp},
    Row{IPPROTO_TCP, TCP_SYNCNT, kTcp},
    Row{IPPROTO_TCP, TCP_LINGER2, kTcp},
    Row{IPPROTO_TCP, TCP_DEFER_ACCEPT, kTcp},
    Row{IPPROTO_TCP, TCP_WINDOW_CLAMP, kTcp},
    Row{IPPROTO_TCP, TCP_QUICKACK, kTcp},
    Row{IPPROTO_TCP, TCP_USER_TIMEOUT, kTcp},
    Row{IPPROTO_TCP, TCP_FASTOPEN, kTcp},
    Row{IPPROTO_TCP, TCP_NOTSENT_LOWAT, kTcp},
    Row{IPPROTO_TCP, TCP_CONGESTION, kTcp},
};

std::uint8_t applicable(const model::Socket& socket) {
  unsigned mask = kAll;
  const bool inet = socket.domain() == AF_INET || socket.domain() == AF_INET6;
  if (socket.domain() == AF_INET) mask |= kInet4;
  if (socket.domain() == AF_INET6) mask |= kInet6;
  if (inet && socket.type() == SOCK_STREAM && socket.protocol() == IPPROTO_TCP) mask |= kTcp;
  return static_cast<std::uint8_t>(mask);
}

}  // namespace

void capture_socket_options(int borrowed, model::Socket& socket) {
  const std::uint8_t kinds = applicable(socket);
  for (const Row& row : kOptions) {
    if ((row.applies & kinds) == 0) continue;
    std::array<char, 64> value{};
    socklen_t size = value.size();
    if (::getsockopt(borrowed, row.level, row.name, value.data(), &size) != 0) continue;
    size = std::min<socklen_t>(size, value.size());
    model::SocketOption& option = *socket.add_options();
    option.set_level(row.level);
    option.set_name(row.name);
    option.set_value(value.data(), size);
  }
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/sockets.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "snapshot/capture/socket_address.h"
#include "snapshot/capture/socket_options.h"

namespace icecore::snapshot {
namespace {

int int_option(int socket, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

// False when there is no such address: not connected.
bool read_address(int socket, NameCall call, std::string& bytes) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (call(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  bytes.assign(reinterpret_cast<const char*>(&address),
               std::min<std::size_t>(size, sizeof address));
  return true;
}

std::string tcp_state(unsigned state) {
  constexpr std::array<const char*, 13> kNames = {
      "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
      "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
  return state < kNames.size() ? kNames[state] : std::to_string(state);
}

std::uint64_t queue(int socket, unsigned long request) {
  int bytes = 0;
  return ::ioctl(socket, request, &bytes) == 0 ? static_cast<std::uint64_t>(std::max(bytes, 0)) : 0;
}

enum class Connected { No, Yes };

void fill_state(int borrowed, Connected connected, model::Socket& socket) {
  const bool tcp = socket.protocol() == IPPROTO_TCP && socket.domain() != AF_UNIX;
  if (tcp) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(borrowed, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    socket.set_state(tcp_state(info.tcpi_state));
    constexpr unsigned kListen = 10;
    if (info.tcpi_state == kListen) {
      // Of a listening socket the kernel gives here how many connections wait to be accepted.
      socket.set_receive_queue(info.tcpi_unacked);
      socket.set_backlog(info.tcpi_sacked);
      return;
    }
    socket.set_bytes_written(info.tcpi_bytes_sent - info.tcpi_bytes_retrans +
                             info.tcpi_notsent_bytes);
    socket.set_bytes_arrived(info.tcpi_bytes_received);
  } else if (int_option(borrowed, SO_ACCEPTCONN) != 0) {
    socket.set_state("LISTEN");
    return;
  } else {
    socket.set_state(connected == Connected::Yes ? "CONNECTED" : "UNCONNECTED");
  }
  socket.set_receive_queue(queue(borrowed, SIOCINQ));
  socket.set_send_queue(queue(borrowed, SIOCOUTQ));
}

void fill_peer_credentials(int borrowed, model::Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(borrowed, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0) return;
  socket.set_peer_pid(peer.pid);
  socket.set_peer_uid(peer.uid);
  socket.set_peer_gid(peer.gid);
}

}  // namespace

void capture_socket(int borrowed, model::OpenFile& file) {
  model::Socket& socket = *file.mutable_socket();
  socket.set_inode(file.identity().inode());
  socket.set_domain(int_option(borrowed, SO_DOMAIN));
  socket.set_type(int_option(borrowed, SO_TYPE));
  socket.set_protocol(int_option(borrowed, SO_PROTOCOL));
  read_address(borrowed, &::getsockname, *socket.mutable_local());
  const bool connected = read_address(borrowed, &::getpeername, *socket.mutable_remote());
  socket.set_local_text(socket_address_text(socket.local()));
  socket.set_remote_text(socket_address_text(socket.remote()));
  if (socket.domain() == AF_UNIX) fill_peer_credentials(borrowed, socket);
  fill_state(borrowed, connected ? Connected::Yes : Connected::No, socket);
  capture_socket_options(borrowed, socket);
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "replay/files/inet_socket.h"
#include "replay/files/makers.h"
#include "replay/files/socket_options.h"
#include "replay/files/status_flags.h"
#include "replay/files/unix_socket.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

// The number it had may be another's by now (the original's, beside which we may live); the kernel
// gives us one of its own choice then.
void make_netlink(Making& making, const OpenFile& file) {
  UniqueFd fd = new_socket(file);
  sockaddr_nl address{};
  const std::string& local = file.socket().local();
  std::memcpy(&address, local.data(), std::min(sizeof address, local.size()));
  if (address.nl_pid != 0 || address.nl_groups != 0) {
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd.get(), place, sizeof address) != 0) {
      address.nl_pid = 0;
      if (::bind(fd.get(), place, sizeof address) != 0) throw_errno("bind a netlink socket");
    }
  }
  making.made.emplace(file.id(), std::move(fd));
}

void shut_down(int fd, const model::Socket& socket) {
  constexpr std::array<std::string_view, 5> kSent = {"FIN_WAIT1", "FIN_WAIT2", "CLOSING",
                                                     "LAST_ACK", "TIME_WAIT"};
  constexpr unsigned kReceiving = 1;
  constexpr unsigned kSending = 2;
  const bool sent = std::ranges::find(kSent, socket.state()) != kSent.end();
  if (socket.state() == "LISTEN") return;
  // Fails where the other end has closed, which does the same.
  if ((socket.shut_down() & kSending) != 0 || sent) ::shutdown(fd, SHUT_WR);
  if ((socket.shut_down() & kReceiving) != 0) ::shutdown(fd, SHUT_RD);
}

}  // namespace

Objection check_socket(const Checking& checking, const OpenFile& file) {
  switch (file.socket().domain()) {
    case AF_UNIX:
      return check_unix_socket(checking, file);
    case AF_INET:
    case AF_INET6:
      return check_inet_socket(checking, file);
    case AF_NETLINK:
      return {};
    default:
      return {"sockets of this family are not supported", ""};
  }
}

void make_socket(Making& making, const OpenFile& file) {
  switch (file.socket().domain()) {
    case AF_UNIX:
      make_unix_sockets(making);
      break;
    case AF_INET:
    case AF_INET6:
      make_inet_sockets(making);
      break;
    case AF_NETLINK:
      make_netlink(making, file);
      break;
    default:
      throw Refused("sockets of this family are not supported");
  }
}

void link_socket(Making& making, const OpenFile& file) {
  if (file.socket().domain() == AF_UNIX) {
    fill_unix_socket(making, file);
  } else if (file.socket().domain() != AF_NETLINK) {
    fill_inet_socket(making, file);
  }
}

void settle_socket(Making& making, const OpenFile& file) {
  const int fd = making.made.at(file.id()).get();
  making.far_ends.erase(file.id());
  shut_down(fd, file.socket());
  set_all_options(fd, file.socket());
  set_peek_offset(fd, file.socket());
  set_status_flags(fd, file);
}

}  // namespace icecore::replay

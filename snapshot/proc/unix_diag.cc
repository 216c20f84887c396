// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/unix_diag.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>

#include <cstring>

#include "base/error.h"

namespace icecore::snapshot::proc {
namespace {

template <typename Struct>
bool copy_struct(std::span<const std::byte> bytes, Struct& out) {
  if (bytes.size() < sizeof out) return false;
  std::memcpy(&out, bytes.data(), sizeof out);
  return true;
}

std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

void parse_attribute(unsigned type, std::span<const std::byte> value, UnixSocket& socket) {
  std::uint32_t peer = 0;
  unix_diag_rqlen queues{};
  switch (type) {
    case UNIX_DIAG_NAME:
      socket.name.assign(reinterpret_cast<const char*>(value.data()), value.size());
      break;
    case UNIX_DIAG_PEER:
      if (copy_struct(value, peer)) socket.peer = peer;
      break;
    case UNIX_DIAG_ICONS:
      for (; copy_struct(value, peer); value = value.subspan(sizeof peer)) {
        socket.waiting.push_back(peer);
      }
      break;
    case UNIX_DIAG_RQLEN:
      if (copy_struct(value, queues)) {
        socket.receive_queue = queues.udiag_rqueue;
        socket.send_queue = queues.udiag_wqueue;
      }
      break;
    case UNIX_DIAG_SHUTDOWN:
      if (!value.empty()) socket.shut_down = std::to_integer<unsigned>(value[0]);
      break;
    default:
      break;
  }
}

void parse_message(std::span<const std::byte> payload, std::vector<UnixSocket>& sockets) {
  unix_diag_msg message{};
  if (!copy_struct(payload, message)) return;
  UnixSocket socket;
  socket.inode = message.udiag_ino;
  socket.type = message.udiag_type;
  socket.state = message.udiag_state;
  payload = payload.subspan(sizeof message);
  rtattr attribute{};
  while (copy_struct(payload, attribute) && attribute.rta_len >= sizeof attribute &&
         attribute.rta_len <= payload.size()) {
    parse_attribute(attribute.rta_type,
                    payload.subspan(sizeof attribute, attribute.rta_len - sizeof attribute),
                    socket);
    payload = payload.subspan(std::min(aligned(attribute.rta_len), payload.size()));
  }
  sockets.push_back(std::move(socket));
}

}  // namespace

bool parse_unix_diag(std::span<const std::byte> datagram, std::vector<UnixSocket>& sockets) {
  nlmsghdr header{};
  bool more = false;
  while (copy_struct(datagram, header) && header.nlmsg_len >= sizeof header &&
         header.nlmsg_len <= datagram.size()) {
    const auto payload = datagram.subspan(sizeof header, header.nlmsg_len - sizeof header);
    if (header.nlmsg_type == NLMSG_DONE) return false;
    if (header.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      copy_struct(payload, error);
      throw_errno("list unix sockets by sock_diag", -error.error);
    }
    more = (header.nlmsg_flags & NLM_F_MULTI) != 0;
    parse_message(payload, sockets);
    datagram = datagram.subspan(std::min(aligned(header.nlmsg_len), datagram.size()));
  }
  return more;
}

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "replay/files/inet_socket.h"
#include "replay/files/socket_options.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

// TCP_REPAIR of Linux: state is set instead of negotiated. A bind succeeds whatever else is left of
// an earlier connection there, and what is sent to the receive queue is received.
bool repair(int fd, int mode) {
  return ::setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &mode, sizeof mode) == 0;
}

void set_tcp(int fd, int option, std::uint32_t value, const char* what) {
  if (::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) != 0) throw_errno(what);
}

std::string queued(const OpenFile& file) {
  std::string all;
  for (const auto& message : file.socket().messages()) all += message.data();
  return all;
}

// Where the two directions begin. Nobody but the two ends ever sees the numbers.
constexpr std::uint32_t kFirstSequence = 1'000'000;

/// The end of `file`; the other one has sent all that waits here, so it has sent `sent` bytes, the
/// ones that wait there.
UniqueFd place_end(UniqueFd fd, const OpenFile& file, std::size_t sent) {
  set_binding_options(fd.get(), file.socket());
  if (!repair(fd.get(), TCP_REPAIR_ON)) throw_errno("TCP_REPAIR");
  bind_local(fd.get(), file.socket());
  const auto next = static_cast<std::uint32_t>(kFirstSequence + sent);
  set_tcp(fd.get(), TCP_REPAIR_QUEUE, TCP_SEND_QUEUE, "choose the send queue");
  set_tcp(fd.get(), TCP_QUEUE_SEQ, next, "set the sequence number to send");
  set_tcp(fd.get(), TCP_REPAIR_QUEUE, TCP_RECV_QUEUE, "choose the receive queue");
  set_tcp(fd.get(), TCP_QUEUE_SEQ, kFirstSequence, "set the sequence number to receive");
  connect_remote(fd.get(), file.socket());
  // What two ends on one machine agree upon.
  constexpr std::uint32_t kSegment = 65483;
  constexpr std::uint32_t kScale = 7;
  const std::array options{tcp_repair_opt{TCPOPT_MAXSEG, kSegment},
                           tcp_repair_opt{TCPOPT_WINDOW, kScale | kScale << 16U},
                           tcp_repair_opt{TCPOPT_SACK_PERMITTED, 0},
                           tcp_repair_opt{TCPOPT_TIMESTAMP, 0}};
  if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_REPAIR_OPTIONS, options.data(), sizeof options) !=
      0) {
    throw_errno("set what was negotiated");
  }
  return fd;
}

void fill_queue(int fd, std::string_view bytes) {
  constexpr int kRoom = 16 << 20;
  if (bytes.size() > 65536) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom);
  set_tcp(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE, "choose the receive queue");
  while (!bytes.empty()) {
    constexpr std::size_t kPiece = 16384;
    const ssize_t count = ::send(fd, bytes.data(), std::min(bytes.size(), kPiece), 0);
    if (count <= 0) throw_errno("fill the receive queue");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

tcp_repair_window window_of(int fd) {
  tcp_repair_window window{};
  socklen_t size = sizeof window;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &size) != 0) {
    throw_errno("read the window");
  }
  return window;
}

/// Tells `fd` what `other` has room for, behind the `queued` bytes that wait there.
void open_window(int fd, int other, std::size_t queued) {
  const std::uint32_t room = window_of(other).rcv_wnd;
  tcp_repair_window window = window_of(fd);
  window.snd_wnd = room > queued ? static_cast<std::uint32_t>(room - queued) : 0;
  window.max_window = std::max(room, window.snd_wnd);
  if (::setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof window) != 0) {
    throw_errno("set the window");
  }
}

void end_repair(int fd) {
  if (!repair(fd, TCP_REPAIR_OFF_NO_WP)) throw_errno("end TCP_REPAIR");
  // It has cleared this; a socket that will listen on the port needs it, until the options are set.
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

bool may_repair(int fd) {
  if (!repair(fd, TCP_REPAIR_ON)) return false;
  return repair(fd, TCP_REPAIR_OFF);
}

void bind_in_spite_of_the_past(int fd, const model::Socket& socket) {
  const bool repairs = repair(fd, TCP_REPAIR_ON);
  bind_local(fd, socket);
  if (repairs) end_repair(fd);
}

TcpEnds repaired_ends(const OpenFile& first, const OpenFile& second) {
  const std::string to_first = queued(first);
  const std::string to_second = queued(second);
  TcpEnds ends{place_end(new_socket(first), first, to_second.size()),
               place_end(new_socket(second), second, to_first.size())};
  fill_queue(ends.first.get(), to_first);
  fill_queue(ends.second.get(), to_second);
  open_window(ends.first.get(), ends.second.get(), to_second.size());
  open_window(ends.second.get(), ends.first.get(), to_first.size());
  end_repair(ends.first.get());
  end_repair(ends.second.get());
  return ends;
}

}  // namespace icecore::replay

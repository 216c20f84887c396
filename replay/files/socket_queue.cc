// SPDX-License-Identifier: Apache-2.0
#include "replay/files/socket_queue.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"

namespace icecore::replay {
namespace {

/// Control messages, in the order in which they are added.
class Control {
 public:
  void add(int type, const void* data, std::size_t size) {
    const std::size_t start = bytes_.size();
    bytes_.resize(start + CMSG_SPACE(size));
    auto* const item = reinterpret_cast<cmsghdr*>(bytes_.data() + start);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(item), data, size);
  }
  void attach(msghdr& header) {
    header.msg_control = bytes_.empty() ? nullptr : bytes_.data();
    header.msg_controllen = bytes_.size();
  }

 private:
  std::vector<char> bytes_;
};

Control control_of(const Making& making, const model::SocketMessage& message) {
  Control control;
  std::vector<int> descriptors;
  for (const std::uint32_t id : message.descriptions()) {
    descriptors.push_back(making.made.at(id).get());
  }
  if (!descriptors.empty()) {
    control.add(SCM_RIGHTS, descriptors.data(), descriptors.size() * sizeof(int));
  }
  // A sender that has ended is nobody's name any more; the message then comes from us.
  const auto sender = making.surroundings.pids.find(message.pid());
  if (message.pid() != 0 && sender != making.surroundings.pids.end()) {
    const ucred credentials{sender->second, message.uid(), message.gid()};
    control.add(SCM_CREDENTIALS, &credentials, sizeof credentials);
  }
  return control;
}

// Of TCP: the other end takes a moment to open its window.
bool wait_until_writable(int fd) {
  constexpr int kMilliseconds = 2000;
  pollfd state = {fd, POLLOUT, 0};
  return ::poll(&state, 1, kMilliseconds) == 1 && (state.revents & POLLOUT) != 0;
}

void send_one(const Making& making, const model::SocketMessage& message, int sender, bool stream,
              const std::string& receiver) {
  Control control = control_of(making, message);
  std::string data = message.data();
  iovec part{data.data(), data.size()};
  msghdr header{};
  if (!receiver.empty()) {
    header.msg_name = const_cast<char*>(receiver.data());
    header.msg_namelen = static_cast<socklen_t>(receiver.size());
  }
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  control.attach(header);
  do {
    const ssize_t sent = ::sendmsg(sender, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN && wait_until_writable(sender)) continue;
    if (sent < 0) throw_errno("send what waited in its queue");
    if (!stream) return;
    part.iov_base = static_cast<char*>(part.iov_base) + sent;
    part.iov_len -= static_cast<std::size_t>(sent);
    Control().attach(header);
  } while (part.iov_len > 0);
}

}  // namespace

void make_room_to_send(int fd) {
  constexpr int kRoom = 16 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kRoom, sizeof kRoom) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
  }
}

void wait_until_arrived(int fd, const model::Socket& socket) {
  constexpr int kMilliseconds = 2000;
  for (int waited = 0; waited < kMilliseconds; ++waited) {
    int bytes = 0;
    ::ioctl(fd, FIONREAD, &bytes);
    if (static_cast<std::uint64_t>(bytes) >= socket.receive_queue()) return;
    pollfd nothing = {-1, 0, 0};
    ::poll(&nothing, 1, 1);
  }
  throw Error("what waited in the queue did not arrive");
}

void send_messages(const Making& making, const model::OpenFile& file, int sender) {
  const bool stream = file.socket().type() == SOCK_STREAM;
  for (const auto& message : file.socket().messages()) {
    send_one(making, message, sender, stream, {});
  }
}

void send_message_to(const Making& making, const model::SocketMessage& message, int sender,
                     const std::string& receiver) {
  send_one(making, message, sender, false, receiver);
}

}  // namespace icecore::replay

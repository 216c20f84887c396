// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/socket_messages.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace icecore::snapshot {
namespace {

constexpr std::size_t kMaxContent = 4U << 20U;
constexpr std::size_t kMaxDatagram = 256U << 10U;
constexpr std::size_t kMaxDescriptors = 253;  // SCM_MAX_FD

/// Lets each MSG_PEEK begin behind the last one; afterwards the socket is as it was.
class PeekOffset {
 public:
  explicit PeekOffset(int socket) : socket_(socket) {
    socklen_t size = sizeof before_;
    active_ = ::getsockopt(socket_, SOL_SOCKET, SO_PEEK_OFF, &before_, &size) == 0 && set(0);
  }
  PeekOffset(const PeekOffset&) = delete;
  PeekOffset& operator=(const PeekOffset&) = delete;
  ~PeekOffset() {
    if (active_) static_cast<void>(set(before_));
  }
  [[nodiscard]] bool active() const { return active_; }

 private:
  [[nodiscard]] bool set(int offset) const {
    return ::setsockopt(socket_, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) == 0;
  }
  int socket_;
  int before_ = -1;
  bool active_ = false;
};

void take_control(const msghdr& header, PeekedMessage& peeked) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr;
       item = CMSG_NXTHDR(const_cast<msghdr*>(&header), item)) {
    if (item->cmsg_level != SOL_SOCKET) continue;
    const std::size_t size = item->cmsg_len - CMSG_LEN(0);
    if (item->cmsg_type == SCM_RIGHTS) {
      for (std::size_t i = 0; i < size / sizeof(int); ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
        peeked.descriptors.emplace_back(fd);
      }
    } else if (item->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(item), sizeof sender);
      peeked.message.set_pid(sender.pid);
      peeked.message.set_uid(sender.uid);
      peeked.message.set_gid(sender.gid);
    }
  }
}

enum class Peek { Done, Got, Failed };

Peek peek_one(int socket, std::string& buffer, PeekedMessage& peeked) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int)) + 512];
  sockaddr_storage sender{};
  iovec data{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof sender;
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return errno == EAGAIN ? Peek::Done : Peek::Failed;
  take_control(header, peeked);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Peek::Failed;
  peeked.message.set_data(buffer.data(), static_cast<std::size_t>(size));
  if (header.msg_namelen > 0) peeked.message.set_sender(&sender, header.msg_namelen);
  return Peek::Got;
}

using Messages = std::vector<PeekedMessage>;

// All at once, which touches nothing, unless parts differ in what comes with them.
std::optional<Messages> peek_stream(int borrowed, std::size_t waiting) {
  std::string buffer(waiting, '\0');
  int offset = -1;
  socklen_t size = sizeof offset;
  ::getsockopt(borrowed, SOL_SOCKET, SO_PEEK_OFF, &offset, &size);
  Messages messages(1);
  if (offset < 0) {
    const Peek first = peek_one(borrowed, buffer, messages[0]);
    if (first == Peek::Done) return Messages();
    if (first == Peek::Failed) return std::nullopt;
    if (messages[0].message.data().size() == waiting) return messages;
  }
  const PeekOffset scope(borrowed);
  if (!scope.active()) return std::nullopt;
  messages.clear();
  for (std::size_t total = 0; total < waiting;) {
    messages.emplace_back();
    if (peek_one(borrowed, buffer, messages.back()) != Peek::Got) return std::nullopt;
    const std::size_t part = messages.back().message.data().size();
    if (part == 0) return std::nullopt;
    total += part;
  }
  return messages;
}

std::optional<Messages> peek_datagrams(int borrowed) {
  const PeekOffset scope(borrowed);
  if (!scope.active()) return std::nullopt;
  std::string buffer(kMaxDatagram, '\0');
  Messages messages;
  for (std::size_t total = 0; total <= kMaxContent;) {
    PeekedMessage next;
    const Peek result = peek_one(borrowed, buffer, next);
    if (result == Peek::Done) return messages;
    if (result == Peek::Failed) return std::nullopt;
    total += next.message.data().size();
    messages.push_back(std::move(next));
  }
  return std::nullopt;
}

bool is_inet(const model::Socket& socket) {
  return socket.domain() == AF_INET || socket.domain() == AF_INET6;
}

}  // namespace

bool has_readable_queue(const model::Socket& socket) {
  if (socket.receive_queue() == 0 || socket.state() == "LISTEN") return false;
  if (socket.domain() == AF_UNIX) return true;
  return is_inet(socket) && (socket.type() == SOCK_STREAM || socket.type() == SOCK_DGRAM);
}

std::optional<Messages> peek_messages(int borrowed, const model::Socket& socket) {
  if (socket.receive_queue() > kMaxContent) return std::nullopt;
  if (socket.type() != SOCK_STREAM) return peek_datagrams(borrowed);
  return peek_stream(borrowed, socket.receive_queue());
}

}  // namespace icecore::snapshot

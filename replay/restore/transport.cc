// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/transport.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace icecore::replay {
namespace {

constexpr std::size_t kMost = 253;  // SCM_MAX_FD

struct Message {
  std::array<char, 1> byte{};
  iovec part{byte.data(), byte.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMost * sizeof(int))> control{};
};

void send_some(int socket, std::span<const int> fds) {
  Message message;
  msghdr header{};
  header.msg_iov = &message.part;
  header.msg_iovlen = 1;
  header.msg_control = message.control.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  if (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) throw_errno("sending descriptors to a puppet");
}

/// Lays out at `address` in the puppet: msghdr, iovec, one byte, control.
struct FarMessage {
  msghdr header{};
  iovec part{};
  std::uint64_t byte = 0;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMost * sizeof(int))> control{};
};

FarMessage far_message(std::uint64_t address) {
  FarMessage message;
  const auto at = [address](std::size_t offset) {
    return reinterpret_cast<void*>(address + offset);
  };
  message.part = {at(offsetof(FarMessage, byte)), 1};
  message.header.msg_iov = static_cast<iovec*>(at(offsetof(FarMessage, part)));
  message.header.msg_iovlen = 1;
  message.header.msg_control = at(offsetof(FarMessage, control));
  message.header.msg_controllen = message.control.size();
  return message;
}

}  // namespace

Transport::Transport(int number) : number_(number) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("socketpair");
  }
  near_.reset(ends[0]);
  far_.reset(ends[1]);
}

std::vector<int> Transport::send(Puppet& puppet, std::span<const int> fds) const {
  std::vector<int> numbers;
  while (!fds.empty()) {
    const auto some = fds.first(std::min(fds.size(), kMost));
    fds = fds.subspan(some.size());
    send_some(near_.get(), some);
    FarMessage message = far_message(puppet.scratch());
    puppet.write(puppet.scratch(), std::as_bytes(std::span(&message, 1)));
    const std::int64_t got = puppet.call(
        SYS_recvmsg, {static_cast<std::uint64_t>(number_), puppet.scratch(), MSG_DONTWAIT});
    if (got < 0) throw_errno("receiving descriptors in a puppet", static_cast<int>(-got));
    puppet.read(puppet.scratch(), std::as_writable_bytes(std::span(&message, 1)));
    if ((message.header.msg_flags & MSG_CTRUNC) != 0) {
      throw Error("a puppet could not take " + std::to_string(some.size()) +
                  " descriptors: too many open files");
    }
    const std::size_t before = numbers.size();
    numbers.resize(before + some.size());
    std::memcpy(numbers.data() + before, message.control.data() + CMSG_LEN(0), some.size_bytes());
  }
  return numbers;
}

int transport_number(const model::Snapshot& snapshot) {
  int highest = 255;
  for (const auto& process : snapshot.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      highest = std::max(highest, descriptor.fd());
    }
  }
  return highest + 1;
}

}  // namespace icecore::replay

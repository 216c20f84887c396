// SPDX-License-Identifier: Apache-2.0
#include "replay/files/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/error.h"

namespace icecore::replay {
namespace {

struct Name {
  int level;
  int name;
  bool operator==(const Name&) const = default;
};

constexpr std::array kBinding = {
    Name{SOL_SOCKET, SO_REUSEADDR},
    Name{SOL_SOCKET, SO_REUSEPORT},
    Name{SOL_SOCKET, SO_BINDTODEVICE},
    Name{SOL_SOCKET, SO_MARK},
    Name{IPPROTO_IP, IP_FREEBIND},
    Name{IPPROTO_IP, IP_TRANSPARENT},
    Name{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
    Name{IPPROTO_IPV6, IPV6_V6ONLY},
};

// What getsockopt(2) tells of these is how a connection goes at the moment, not what was set.
constexpr std::array kOfTheMoment = {
    Name{IPPROTO_TCP, TCP_QUICKACK},
    Name{IPPROTO_TCP, TCP_MAXSEG},
    Name{IPPROTO_TCP, TCP_WINDOW_CLAMP},
};

constexpr Name kPeekOffset{SOL_SOCKET, SO_PEEK_OFF};

Name name_of(const model::SocketOption& option) { return {option.level(), option.name()}; }

bool is_set(int fd, const model::SocketOption& option) {
  std::array<char, 64> now{};
  socklen_t size = now.size();
  if (::getsockopt(fd, option.level(), option.name(), now.data(), &size) != 0) return false;
  return std::string_view(now.data(), size) == option.value();
}

/// The kernel doubles what it is given.
bool set_buffer(int fd, int name, int doubled) {
  const int size = doubled / 2;
  const int forced = name == SO_SNDBUF ? SO_SNDBUFFORCE : SO_RCVBUFFORCE;
  return ::setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) == 0 ||
         ::setsockopt(fd, SOL_SOCKET, name, &size, sizeof size) == 0;
}

void set_option(int fd, const model::SocketOption& option) {
  if (is_set(fd, option)) return;
  bool good = false;
  const Name name = name_of(option);
  if (name == Name{SOL_SOCKET, SO_SNDBUF} || name == Name{SOL_SOCKET, SO_RCVBUF}) {
    int value = 0;
    std::memcpy(&value, option.value().data(), std::min(sizeof value, option.value().size()));
    good = set_buffer(fd, option.name(), value);
  } else {
    good = ::setsockopt(fd, option.level(), option.name(), option.value().data(),
                        static_cast<socklen_t>(option.value().size())) == 0;
  }
  if (!good) {
    throw_errno("set socket option " + std::to_string(option.level()) + "/" +
                std::to_string(option.name()));
  }
}

}  // namespace

UniqueFd new_socket(const model::OpenFile& file) {
  const model::Socket& socket = file.socket();
  const int type = socket.type() | SOCK_CLOEXEC | SOCK_NONBLOCK;
  UniqueFd fd(::socket(socket.domain(), type, socket.protocol()));
  if (!fd.valid()) throw_errno("socket");
  // Whose it is: the kernel lets only one user share a port (SO_REUSEPORT).
  const auto& identity = file.identity();
  if (identity.uid() != ::geteuid() || identity.gid() != ::getegid()) {
    static_cast<void>(::fchown(fd.get(), identity.uid(), identity.gid()));
  }
  return fd;
}

void set_binding_options(int fd, const model::Socket& socket) {
  for (const auto& option : socket.options()) {
    if (std::ranges::find(kBinding, name_of(option)) != kBinding.end()) set_option(fd, option);
  }
}

void set_all_options(int fd, const model::Socket& socket) {
  const bool connected = !socket.remote().empty();
  for (const auto& option : socket.options()) {
    const Name name = name_of(option);
    if (name == kPeekOffset) continue;
    const bool moment = std::ranges::find(kOfTheMoment, name) != kOfTheMoment.end();
    if (moment && (connected || name == kOfTheMoment[0])) continue;
    // A stream has none, but tells what its first packet had.
    if (socket.type() == SOCK_STREAM && name == Name{IPPROTO_IP, IP_MULTICAST_TTL}) continue;
    set_option(fd, option);
  }
}

void set_peek_offset(int fd, const model::Socket& socket) {
  for (const auto& option : socket.options()) {
    if (name_of(option) == kPeekOffset) set_option(fd, option);
  }
}

std::string socket_name(const model::Socket& socket) {
  return socket.local_text().empty() ? "unnamed" : socket.local_text();
}

void bind_local(int fd, const model::Socket& socket) {
  const auto* const address = reinterpret_cast<const sockaddr*>(socket.local().data());
  if (::bind(fd, address, static_cast<socklen_t>(socket.local().size())) != 0) {
    throw_errno("bind " + socket_name(socket));
  }
}

}  // namespace icecore::replay

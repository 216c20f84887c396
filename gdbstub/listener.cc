// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/listener.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace icecore::gdbstub {
namespace {

constexpr int kBacklog = 8;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const TcpAddress& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found);
  if (failure != 0) {
    throw Error("listening on " + address.host + ": " + ::gai_strerror(failure));
  }
  return {found, &::freeaddrinfo};
}

struct NumericName {
  std::string host;
  std::string port;
};
NumericName numeric_name(const sockaddr_storage& address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const int failure =
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  if (failure != 0) throw Error(std::string("getnameinfo: ") + ::gai_strerror(failure));
  return {host, port};
}

std::string bound_address(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    throw_errno("getsockname");
  }
  const auto [host, port] = numeric_name(bound, size);
  return (bound.ss_family == AF_INET6 ? "[" + host + "]" : host) + ":" + port;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error("listening on " + path + ": a unix socket's path has at most " +
                std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Whether somebody still listens at `address`; a socket file outlives a process that was killed.
bool is_served(const sockaddr_un& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) throw_errno("socket");
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno != ECONNREFUSED;
}

}  // namespace

std::string peer_name(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return {};
  const auto [host, port] = numeric_name(peer, size);
  return host + ", port " + port;
}

Listener::Listener(const TcpAddress& address) {
  const AddressList list = look_up(address);
  socket_.reset(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) throw_errno("socket");
  const int yes = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const std::string text = address.host + ":" + std::to_string(address.port);
  if (::bind(socket_.get(), list->ai_addr, list->ai_addrlen) != 0 ||
      ::listen(socket_.get(), kBacklog) != 0) {
    Error error("listening on " + text + ": " + std::strerror(errno), errno);
    error.set_hint("port 0 takes a free one");
    throw error;
  }
  client_address_ = bound_address(socket_.get());
}

Listener::Listener(const UnixAddress& address) {
  const sockaddr_un bound = unix_address(address.path);
  socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) throw_errno("socket");
  const auto* raw = reinterpret_cast<const sockaddr*>(&bound);
  // Others must not get at the process's memory: the file is made without their permissions.
  const mode_t before = ::umask(0177);
  int result = ::bind(socket_.get(), raw, sizeof bound);
  if (result != 0 && errno == EADDRINUSE && !is_served(bound)) {
    ::unlink(address.path.c_str());
    result = ::bind(socket_.get(), raw, sizeof bound);
  }
  const int failure = errno;
  ::umask(before);
  if (result != 0) throw_errno("listening on " + address.path, failure);
  path_ = address.path;
  client_address_ = address.path;
  if (::listen(socket_.get(), kBacklog) != 0) throw_errno("listening on " + address.path);
}

Listener::~Listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

UniqueFd Listener::accept() const {
  UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (client.valid()) {
    // Packets are small and each waits for its answer; fails on a unix socket, where it is not
    // needed.
    const int yes = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  return client;
}

}  // namespace icecore::gdbstub

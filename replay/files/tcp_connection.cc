// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/error.h"
#include "replay/files/inet_socket.h"
#include "replay/files/inherited.h"
#include "replay/files/socket_options.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

constexpr int kMilliseconds = 5000;  // for what happens inside this machine's kernel

void allow_reuse(int fd) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

bool wait_for(int fd, short events) {
  pollfd state = {fd, events, 0};
  return ::poll(&state, 1, kMilliseconds) == 1;
}

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return {reinterpret_cast<const char*>(&address), size};
}

// Strangers who come to the address in the moment that it listens are turned away.
UniqueFd accept_from(int listener, const std::string& peer) {
  while (wait_for(listener, POLLIN)) {
    UniqueFd accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (accepted.valid() && peer_of(accepted.get()) == peer) return accepted;
  }
  throw Error("the connection did not come about");
}

}  // namespace

bool is_tcp_connection(const OpenFile& file) {
  constexpr std::array<std::string_view, 3> kAlone = {"", "CLOSE", "LISTEN"};
  const model::Socket& socket = file.socket();
  return socket.type() == SOCK_STREAM && socket.domain() != AF_UNIX &&
         std::ranges::find(kAlone, socket.state()) == kAlone.end();
}

const OpenFile* tcp_partner(const model::Snapshot& model, const OpenFile& file) {
  for (const std::uint32_t id : file.peers()) {
    const OpenFile* const peer = find_description(model, id);
    if (peer != nullptr && is_tcp_connection(*peer)) return peer;
  }
  return nullptr;
}

void connect_remote(int fd, const model::Socket& socket) {
  const auto* const address = reinterpret_cast<const sockaddr*>(socket.remote().data());
  const std::string what = "connect to " + socket.remote_text();
  if (::connect(fd, address, static_cast<socklen_t>(socket.remote().size())) == 0) return;
  if (errno != EINPROGRESS) throw_errno(what);
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  if (wait_for(fd, POLLOUT)) ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) throw_errno(what, error);
}

TcpEnds connect_ends(const OpenFile& first, const OpenFile& second) {
  const UniqueFd listener = new_socket(first);
  allow_reuse(listener.get());
  set_binding_options(listener.get(), first.socket());
  allow_reuse(listener.get());
  bind_local(listener.get(), first.socket());
  if (::listen(listener.get(), 1) != 0) throw_errno("listen at " + first.socket().local_text());
  UniqueFd client = new_socket(second);
  set_binding_options(client.get(), second.socket());
  allow_reuse(client.get());
  bind_local(client.get(), second.socket());
  connect_remote(client.get(), second.socket());
  UniqueFd server = accept_from(listener.get(), first.socket().remote());
  return {std::move(server), std::move(client)};
}

UniqueFd reset_connection(const OpenFile& file) {
  const bool v6 = file.socket().domain() == AF_INET6;
  sockaddr_storage address{};
  if (v6) {
    reinterpret_cast<sockaddr_in6&>(address) = {AF_INET6, 0, 0, in6addr_loopback, 0};
  } else {
    reinterpret_cast<sockaddr_in&>(address) = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  }
  socklen_t size = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  auto* const place = reinterpret_cast<sockaddr*>(&address);
  const UniqueFd listener(::socket(file.socket().domain(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  UniqueFd client = new_socket(file);
  if (!listener.valid() || ::bind(listener.get(), place, size) != 0 ||
      ::listen(listener.get(), 1) != 0 || ::getsockname(listener.get(), place, &size) != 0) {
    throw_errno("make a connection to be reset");
  }
  if (::connect(client.get(), place, size) != 0 && errno != EINPROGRESS) throw_errno("connect");
  UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted.valid()) throw_errno("accept");
  const linger at_once{1, 0};
  ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  accepted.reset();
  if (!wait_for(client.get(), POLLHUP)) throw Error("the reset did not arrive");
  return client;
}

}  // namespace icecore::replay

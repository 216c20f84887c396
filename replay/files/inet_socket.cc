// SPDX-License-Identifier: Apache-2.0
#include "replay/files/inet_socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/files/inherited.h"
#include "replay/files/socket_options.h"
#include "replay/files/socket_owner.h"
#include "replay/files/socket_queue.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

bool is_inet(const OpenFile& file) {
  const int domain = file.socket().domain();
  return file.has_socket() && (domain == AF_INET || domain == AF_INET6);
}

/// A TCP or UDP socket that has taken a port, or a raw one that has an address.
bool is_bound(const model::Socket& socket) {
  sockaddr_in6 address{};  // the port is at the same place in both families
  std::memcpy(&address, socket.local().data(), std::min(sizeof address, socket.local().size()));
  return address.sin6_port != 0;
}

/// A connection that waits to be accepted: its listening socket.
const OpenFile* listener_of(const model::Snapshot& model, const OpenFile& file) {
  for (const std::uint32_t id : file.peers()) {
    const OpenFile* const peer = find_description(model, id);
    if (peer != nullptr && is_listening(*peer)) return peer;
  }
  return nullptr;
}

/// Binds as the program had; `fd` is new.
void bind_as_before(int fd, const OpenFile& file) {
  set_binding_options(fd, file.socket());
  if (!is_bound(file.socket())) return;
  if (file.socket().type() == SOCK_STREAM) {
    // Connections on the port that were made again would be in the way; settle_socket() gives the
    // option its own value.
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (file.socket().type() == SOCK_STREAM && !is_listening(file)) {
    bind_in_spite_of_the_past(fd, file.socket());
  } else {
    bind_local(fd, file.socket());
  }
}

void make_connection(Making& making, const OpenFile& file) {
  const model::Snapshot& model = making.snapshot.model();
  const OpenFile* const partner = tcp_partner(model, file);
  if (partner != nullptr) {
    TcpEnds ends = making.repairs ? repaired_ends(file, *partner) : connect_ends(file, *partner);
    making.made.emplace(file.id(), std::move(ends.first));
    making.made.emplace(partner->id(), std::move(ends.second));
    return;
  }
  if (listener_of(model, file) != nullptr) return;
  if (making.options.tcp != FileOptions::Tcp::Close) {
    throw Refused("connected to " + file.socket().remote_text() + ", which is not of the tree");
  }
  making.made.emplace(file.id(), reset_connection(file));
}

void make_alone(Making& making, const OpenFile& file) {
  UniqueFd fd = new_socket(file);
  bind_as_before(fd.get(), file);
  const model::Socket& socket = file.socket();
  if (is_listening(file) && ::listen(fd.get(), static_cast<int>(socket.backlog())) != 0) {
    throw_errno("listen at " + socket.local_text());
  }
  if (socket.type() != SOCK_STREAM && !socket.remote().empty()) connect_remote(fd.get(), socket);
  making.made.emplace(file.id(), std::move(fd));
}

void make_waiting(Making& making, const OpenFile& file) {
  UniqueFd fd = new_socket(file);
  bind_as_before(fd.get(), file);
  connect_remote(fd.get(), file.socket());
  making.made.emplace(file.id(), std::move(fd));
}

/// The kernel's own answer to whether the port is free: a bind that is undone at once.
int try_to_bind(const OpenFile& file) {
  try {
    const UniqueFd fd = new_socket(file);
    bind_as_before(fd.get(), file);
    return 0;
  } catch (const Error& error) {
    return error.errno_value();
  }
}

Objection check_address(const OpenFile& file) {
  const int error = try_to_bind(file);
  if (error == 0) return {};
  if (error != EADDRINUSE)
    return {"its address cannot be had: " + std::string(strerror(error)), ""};
  const SocketOwner owner = owner_of_port(file.socket());
  if (!owner.text.empty()) {
    return {"its address is taken by " + owner.text, "end that process first", owner.pid};
  }
  return {"connections that have ended still hold its address", "try again in a minute"};
}

}  // namespace

void make_inet_sockets(Making& making) {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  making.repairs = probe.valid() && may_repair(probe.get());
  for (const auto round : {make_connection, make_alone, make_waiting}) {
    for (const auto& file : making.snapshot.model().open_files()) {
      if (!is_inet(file) || making.made.contains(file.id())) continue;
      if ((round == make_connection || round == make_waiting) != is_tcp_connection(file)) continue;
      with_context(file.target() + " (" + socket_name(file.socket()) + ")",
                   [&] { round(making, file); });
    }
  }
}

Objection check_inet_socket(const Checking& checking, const OpenFile& file) {
  const model::Socket& socket = file.socket();
  if (is_tcp_connection(file)) {
    const OpenFile* const partner = tcp_partner(checking.model, file);
    if (partner == nullptr && listener_of(checking.model, file) == nullptr) {
      if (checking.options.tcp == FileOptions::Tcp::Close) return {};
      return {"its connection leaves the tree",
              "--tcp close brings it back as reset by the other side"};
    }
    if (socket.receive_queue() > 0 && !socket.messages_held()) {
      return {"what waited in its queue is not held", ""};
    }
    if (socket.unsent() > 0) return {"what it had sent and had not arrived is not held", ""};
    return {};
  }
  return is_bound(socket) ? check_address(file) : Objection();
}

void fill_inet_socket(Making& making, const OpenFile& file) {
  const model::Snapshot& model = making.snapshot.model();
  if (is_tcp_connection(file)) {
    const OpenFile* const partner = tcp_partner(model, file);
    if (making.repairs || partner == nullptr || file.socket().messages().empty()) return;
    const int receiver = making.made.at(file.id()).get();
    const int sender = making.made.at(partner->id()).get();
    send_messages(making, file, sender);
    wait_until_arrived(receiver, file.socket());
    return;
  }
  if (file.socket().type() != SOCK_DGRAM) return;
  // What others sent is lost, as the network may lose it.
  for (const auto& message : file.socket().messages()) {
    for (const auto& other : model.open_files()) {
      if (!is_inet(other) || other.socket().type() != SOCK_DGRAM) continue;
      if (other.socket().local() != message.sender()) continue;
      send_message_to(making, message, making.made.at(other.id()).get(), file.socket().local());
      break;
    }
  }
}

}  // namespace icecore::replay

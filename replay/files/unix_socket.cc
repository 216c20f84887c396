// SPDX-License-Identifier: Apache-2.0
#include "replay/files/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/files/inherited.h"
#include "replay/files/socket_options.h"
#include "replay/files/socket_pair.h"
#include "replay/files/socket_queue.h"
#include "replay/files/unix_names.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

bool is_unix(const OpenFile& file) {
  return file.has_socket() && file.socket().domain() == AF_UNIX && (file.flags() & O_PATH) == 0;
}

bool has_name(const OpenFile& file) { return !file.socket().local_text().empty(); }
bool is_abstract(const OpenFile& file) { return file.socket().local_text().starts_with('@'); }
bool is_connected(const OpenFile& file) { return file.socket().state() == "CONNECTED"; }
bool is_datagram(const OpenFile& file) { return file.socket().type() == SOCK_DGRAM; }

using ByInode = std::map<std::uint64_t, const OpenFile*>;

ByInode unix_sockets(const model::Snapshot& model) {
  ByInode sockets;
  for (const auto& file : model.open_files()) {
    if (is_unix(file)) sockets[file.socket().inode()] = &file;
  }
  return sockets;
}

const OpenFile* find(const ByInode& sockets, std::uint64_t inode) {
  const auto found = sockets.find(inode);
  return found == sockets.end() ? nullptr : found->second;
}

/// The listening socket in whose queue `file` waits to be accepted; null when it does not.
const OpenFile* listener_of(const ByInode& sockets, const OpenFile& file) {
  for (const auto& [inode, other] : sockets) {
    const auto& waiting = other->socket().waiting();
    if (std::ranges::find(waiting, file.socket().inode()) != waiting.end()) return other;
  }
  return nullptr;
}

/// The other end, when the two are connected to each other.
const OpenFile* partner_of(const ByInode& sockets, const OpenFile& file) {
  const OpenFile* const peer = find(sockets, file.socket().peer_inode());
  return peer != nullptr && peer->socket().peer_inode() == file.socket().inode() ? peer : nullptr;
}

void connect_to(int fd, const std::string& address) {
  if (::connect(fd, reinterpret_cast<const sockaddr*>(address.data()),
                static_cast<socklen_t>(address.size())) != 0) {
    throw_errno("connect");
  }
}

/// As the datagram socket of a peer that has ended: sending answers ECONNREFUSED.
void connect_to_nobody(int fd) {
  const UniqueFd peer(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!peer.valid()) throw_errno("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof(sa_family_t);
  auto* const chosen = reinterpret_cast<sockaddr*>(&address);
  if (::bind(peer.get(), chosen, size) != 0) throw_errno("bind");
  size = sizeof address;
  if (::getsockname(peer.get(), chosen, &size) != 0) throw_errno("getsockname");
  if (::connect(fd, chosen, size) != 0) throw_errno("connect");
}

class UnixSocketMaker {
 public:
  explicit UnixSocketMaker(Making& making)
      : making_(making),
        sockets_(unix_sockets(making.snapshot.model())),
        names_(making.snapshot.model(), making.surroundings.root) {}

  void make_all() {
    // Connections first: the ends that carry the name of a listening abstract socket got it by one
    // that listened then, and is closed when the real one takes the name.
    for (const auto& [inode, file] : sockets_) {
      if (is_missing(*file) && is_connected(*file)) named(*file, [&] { make_connected(*file); });
    }
    for (const auto& [inode, file] : sockets_) {
      if (is_missing(*file) && !is_connected(*file)) named(*file, [&] { make_alone(*file); });
    }
    for (const auto& [inode, file] : sockets_) {
      if (is_missing(*file)) named(*file, [&] { make_client(*file); });
    }
  }

 private:
  [[nodiscard]] bool is_missing(const OpenFile& file) const {
    return !making_.made.contains(file.id());
  }
  template <typename Body>
  static void named(const OpenFile& file, Body body) {
    with_context(file.target() + " (" + socket_name(file.socket()) + ")", body);
  }

  void make_connected(const OpenFile& file) {
    if (listener_of(sockets_, file) != nullptr) return;
    const OpenFile* const partner = partner_of(sockets_, file);
    if (partner == nullptr && is_datagram(file)) return;
    SocketPair pair = new_pair(file, partner);
    if (partner != nullptr) {
      making_.made.emplace(partner->id(), std::move(pair.second));
    } else {
      making_.far_ends.emplace(file.id(), std::move(pair.second));
    }
    making_.made.emplace(file.id(), std::move(pair.first));
  }

  [[nodiscard]] SocketPair new_pair(const OpenFile& file, const OpenFile* partner) const {
    if (!is_datagram(file) && is_abstract(file)) return accepted_pair(file);
    if (!is_datagram(file) && partner != nullptr && is_abstract(*partner)) {
      SocketPair pair = accepted_pair(*partner);
      return {std::move(pair.second), std::move(pair.first)};
    }
    const auto creator = making_.surroundings.puppets.find(file.socket().peer_pid());
    SocketPair pair = creator == making_.surroundings.puppets.end()
                          ? make_socket_pair(file.socket().type())
                          : make_socket_pair_as(*creator->second, file.socket());
    name_end(pair.first.get(), file);
    if (partner != nullptr) {
      name_end(pair.second.get(), *partner);
    } else if (!is_datagram(file) && file.socket().remote().size() > sizeof(sa_family_t)) {
      if (!is_abstract_address(file.socket().remote())) {
        names_.bind_without_file(pair.second.get(), file.socket().remote());
      }
    }
    return pair;
  }

  static bool is_abstract_address(const std::string& address) {
    return address.size() <= sizeof(sa_family_t) || address[sizeof(sa_family_t)] == '\0';
  }

  void name_end(int fd, const OpenFile& file) const {
    if (!has_name(file)) return;
    if (is_datagram(file)) {
      names_.bind(fd, file);
    } else {
      names_.bind_without_file(fd, file.socket().local());
    }
  }

  // The accepted end has the name of the socket that listened.
  [[nodiscard]] static SocketPair accepted_pair(const OpenFile& file) {
    const UniqueFd listener = new_socket(file);
    bind_local(listener.get(), file.socket());
    if (::listen(listener.get(), 1) != 0) throw_errno("listen");
    UniqueFd client(::socket(AF_UNIX, file.socket().type() | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!client.valid()) throw_errno("socket");
    connect_to(client.get(), file.socket().local());
    UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!accepted.valid()) throw_errno("accept");
    return {std::move(accepted), std::move(client)};
  }

  void make_alone(const OpenFile& file) {
    UniqueFd fd = new_socket(file);
    if (has_name(file)) names_.bind(fd.get(), file);
    if (is_listening(file) && ::listen(fd.get(), static_cast<int>(file.socket().backlog())) != 0) {
      throw_errno("listen");
    }
    making_.made.emplace(file.id(), std::move(fd));
  }

  // One that waits to be accepted, or a datagram socket whose peer is not connected to it.
  void make_client(const OpenFile& file) {
    UniqueFd fd = new_socket(file);
    if (has_name(file)) names_.bind(fd.get(), file);
    const OpenFile* const listener = listener_of(sockets_, file);
    const OpenFile* const peer =
        listener != nullptr ? listener : find(sockets_, file.socket().peer_inode());
    const std::string& address = peer != nullptr ? peer->socket().local() : file.socket().remote();
    const bool sandbox = making_.options.changed == FileOptions::Changed::Sandbox;
    if (peer == nullptr && sandbox && file.peer_outside()) {
      connect_to_nobody(fd.get());
    } else if (address.size() > sizeof(sa_family_t)) {
      names_.inside(peer != nullptr ? *peer : file, [&] { connect_to(fd.get(), address); });
    }
    making_.made.emplace(file.id(), std::move(fd));
  }

  Making& making_;
  ByInode sockets_;
  UnixNames names_;
};

/// A socket of the sender's address, to send what it had sent.
int sender_of(const Making& making, const ByInode& sockets, const model::SocketMessage& message) {
  for (const auto& [inode, file] : sockets) {
    if (is_datagram(*file) && has_name(*file) && file->socket().local() == message.sender()) {
      return making.made.at(file->id()).get();
    }
  }
  return -1;
}

void fill_by_address(Making& making, const ByInode& sockets, const OpenFile& file) {
  const UnixNames names(making.snapshot.model(), making.surroundings.root);
  for (const auto& message : file.socket().messages()) {
    int sender = sender_of(making, sockets, message);
    UniqueFd stranger;
    if (sender < 0) {
      stranger.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!stranger.valid()) throw_errno("socket");
      sender = stranger.get();
      if (message.sender().size() > sizeof(sa_family_t)) {
        names.bind_without_file(sender, message.sender());
      }
    }
    names.inside(file, [&] { send_message_to(making, message, sender, file.socket().local()); });
  }
}

}  // namespace

Objection check_unix_socket(const Checking& checking, const OpenFile& file) {
  const model::Socket& socket = file.socket();
  const ByInode sockets = unix_sockets(checking.model);
  if (file.peer_outside() && !is_datagram(file) &&
      checking.options.tcp == FileOptions::Tcp::Refuse) {
    return {"it is connected to a process outside the tree",
            "--tcp close brings it back as closed by the other side"};
  }
  if (!is_listening(file) && socket.receive_queue() > 0 && !socket.messages_held()) {
    return {"what waited in its queue is not held", ""};
  }
  const OpenFile* const listener = listener_of(sockets, file);
  if (listener != nullptr && socket.send_queue() > 0) {
    return {"what it sent before it was accepted cannot be read", ""};
  }
  const bool takes_name = has_name(file) && (!is_connected(file) || is_datagram(file));
  if (!takes_name) return {};
  // Its directory is the tree's own there.
  const bool sandbox = checking.options.changed == FileOptions::Changed::Sandbox;
  if (sandbox && !is_abstract(file)) return {};
  const SocketOwner owner = UnixNames::owner(socket.local_text());
  if (owner.text.empty()) return {};
  return {"its name is taken by " + owner.text, "end that process first", owner.pid};
}

void make_unix_sockets(Making& making) { UnixSocketMaker(making).make_all(); }

void fill_unix_socket(Making& making, const OpenFile& file) {
  if (file.socket().messages().empty()) return;
  const ByInode sockets = unix_sockets(making.snapshot.model());
  const OpenFile* const partner = partner_of(sockets, file);
  const auto far_end = making.far_ends.find(file.id());
  if (partner == nullptr && far_end == making.far_ends.end()) {
    fill_by_address(making, sockets, file);
    return;
  }
  const int sender =
      partner != nullptr ? making.made.at(partner->id()).get() : far_end->second.get();
  make_room_to_send(sender);
  send_messages(making, file, sender);
}

}  // namespace icecore::replay

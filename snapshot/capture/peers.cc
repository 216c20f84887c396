// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/peers.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "snapshot/capture/unix_sockets.h"

namespace icecore::snapshot {
namespace {

using model::OpenFile;

// ---- pipes

bool reads(const OpenFile& file) { return (file.flags() & O_ACCMODE) != O_WRONLY; }
bool writes(const OpenFile& file) { return (file.flags() & O_ACCMODE) != O_RDONLY; }

void link_pipes(model::Snapshot& snapshot, const PipeCapture& pipes) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<OpenFile*>> by_pipe;
  for (OpenFile& file : *snapshot.mutable_open_files()) {
    const bool pipe = file.kind() == OpenFile::PIPE || file.kind() == OpenFile::FIFO;
    if (!pipe || (file.flags() & O_PATH) != 0) continue;
    by_pipe[{file.identity().device(), file.identity().inode()}].push_back(&file);
  }
  for (const auto& [pipe, files] : by_pipe) {
    for (OpenFile* file : files) {
      for (const OpenFile* other : files) {
        const bool opposite = (reads(*file) && writes(*other)) || (writes(*file) && reads(*other));
        if (other != file && opposite) file->add_peers(other->id());
      }
      const bool own_peer = reads(*file) && writes(*file);
      file->set_peer_outside(file->peers().empty() && !own_peer && pipes.other_end_open(*file));
    }
  }
}

// ---- unix sockets

using ByInode = std::map<std::uint64_t, OpenFile*>;

// One process of each network namespace: unix sockets are listed per namespace.
std::vector<int> one_process_per_network(const model::Snapshot& snapshot) {
  std::map<std::uint64_t, int> processes;
  for (const model::Process& process : snapshot.processes()) {
    for (const model::Namespace& space : process.namespaces()) {
      if (space.kind() == "net") processes.emplace(space.inode(), process.pid());
    }
  }
  std::vector<int> pids;
  for (const auto& [inode, pid] : processes) pids.push_back(pid);
  return pids;
}

void link_unix_socket(const proc::UnixSocket& known, const ByInode& ours, OpenFile& file) {
  model::Socket& socket = *file.mutable_socket();
  socket.set_peer_inode(known.peer);
  socket.set_shut_down(known.shut_down);
  if (socket.state() == "LISTEN") {
    socket.set_receive_queue(known.waiting.size());
    socket.set_backlog(static_cast<std::uint32_t>(known.send_queue));
    socket.mutable_waiting()->Assign(known.waiting.begin(), known.waiting.end());
  }
  for (const std::uint64_t client : known.waiting) {
    const auto found = ours.find(client);
    if (found != ours.end()) found->second->add_peers(file.id());
  }
  if (known.peer == 0) return;
  const auto peer = ours.find(known.peer);
  if (peer != ours.end()) file.add_peers(peer->second->id());
  file.set_peer_outside(peer == ours.end());
}

void link_unix_sockets(model::Snapshot& snapshot) {
  ByInode ours;
  for (OpenFile& file : *snapshot.mutable_open_files()) {
    if (file.has_socket() && file.socket().domain() == AF_UNIX) {
      ours[file.socket().inode()] = &file;
    }
  }
  if (ours.empty()) return;
  ByInode unknown = ours;
  for (const int pid : one_process_per_network(snapshot)) {
    for (const proc::UnixSocket& known : list_unix_sockets(pid)) {
      const auto found = ours.find(known.inode);
      if (found == ours.end()) continue;
      link_unix_socket(known, ours, *found->second);
      unknown.erase(known.inode);
    }
  }
  // Nobody told who is at the other end: better taken for a stranger than for nobody.
  for (const auto& [inode, file] : unknown) {
    file->set_peer_outside(file->socket().state() == "CONNECTED");
  }
}

// ---- internet sockets

// An IPv6 socket writes an IPv4 address as "[::ffff:1.2.3.4]:5".
std::string plain_address(const std::string& text) {
  constexpr std::string_view kMapped = "[::ffff:";
  if (!text.starts_with(kMapped)) return text;
  std::string plain = text.substr(kMapped.size());
  plain.erase(std::ranges::find(plain, ']'));
  return plain;
}

std::string_view port_of(std::string_view address) {
  const auto colon = address.rfind(':');
  return colon == std::string_view::npos ? "" : address.substr(colon);
}

bool is_inet(const OpenFile& file) {
  return file.has_socket() &&
         (file.socket().domain() == AF_INET || file.socket().domain() == AF_INET6);
}

bool has_partner(const model::Socket& socket) {
  constexpr std::array<std::string_view, 3> kAlone = {"", "CLOSE", "LISTEN"};
  return socket.type() == SOCK_STREAM && std::ranges::find(kAlone, socket.state()) == kAlone.end();
}

void link_inet_sockets(model::Snapshot& snapshot) {
  std::map<std::string, std::vector<OpenFile*>> by_ends;  // "local>remote"
  std::map<std::string, OpenFile*> listeners;             // by ":port"
  for (OpenFile& file : *snapshot.mutable_open_files()) {
    if (!is_inet(file)) continue;
    const model::Socket& socket = file.socket();
    const std::string local = plain_address(socket.local_text());
    if (has_partner(socket)) {
      by_ends[local + ">" + plain_address(socket.remote_text())].push_back(&file);
    }
    if (socket.state() == "LISTEN" && socket.receive_queue() > 0) {
      listeners[std::string(port_of(local))] = &file;
    }
  }
  for (const auto& [ends, files] : by_ends) {
    const auto border = ends.find('>');
    const std::string remote = ends.substr(border + 1);
    const auto other = by_ends.find(remote + ">" + ends.substr(0, border));
    const auto waiting = listeners.find(std::string(port_of(remote)));
    for (OpenFile* file : files) {
      if (other != by_ends.end()) {
        for (const OpenFile* peer : other->second) {
          file->add_peers(peer->id());
          model::Socket& socket = *file->mutable_socket();
          const std::uint64_t arrived = peer->socket().bytes_arrived();
          socket.set_unsent(socket.bytes_written() - std::min(socket.bytes_written(), arrived));
        }
      } else if (waiting != listeners.end()) {
        file->add_peers(waiting->second->id());
      }
      file->set_peer_outside(file->peers().empty());
    }
  }
}

}  // namespace

void link_peers(model::Snapshot& snapshot, const PipeCapture& pipes) {
  link_pipes(snapshot, pipes);
  link_unix_sockets(snapshot);
  link_inet_sockets(snapshot);
}

}  // namespace icecore::snapshot

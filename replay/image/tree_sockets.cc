// SPDX-License-Identifier: Apache-2.0
#include "replay/image/tree_sockets.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/capture/process_tree.h"
#include "snapshot/proc/net_sockets.h"

namespace icecore::replay {
namespace {

/// "socket:[123]" of every descriptor of the tree.
std::set<std::string> sockets_of(int root) {
  std::set<std::string> inodes;
  for (const int pid : snapshot::process_tree(root)) {
    std::error_code error;
    const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry->path(), gone);
      if (!target.starts_with("socket:[")) continue;
      inodes.insert(target.substr(8, target.size() - 9));
    }
  }
  return inodes;
}

std::vector<snapshot::proc::NetSocket> sockets_with(const std::set<std::string>& inodes) {
  std::vector<snapshot::proc::NetSocket> sockets;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const std::string text = snapshot::ProcDirectory::read_file(file);
    for (auto& socket : snapshot::proc::parse_net_sockets(text)) {
      if (inodes.contains(std::to_string(socket.inode))) sockets.push_back(std::move(socket));
    }
  }
  return sockets;
}

}  // namespace

std::vector<TreeSocket> tree_sockets(int root) {
  const auto all = sockets_with(sockets_of(root));
  std::vector<TreeSocket> sockets;
  for (const auto& socket : all) {
    const bool inside = std::ranges::any_of(all, [&](const auto& other) {
      return other.local == socket.remote && other.remote == socket.local;
    });
    sockets.push_back({socket.local_port, socket.remote_port, socket.state == TCP_LISTEN, inside});
  }
  return sockets;
}

std::vector<int> listening_ports(const std::vector<TreeSocket>& sockets) {
  std::set<int> ports;
  for (const auto& socket : sockets) {
    if (socket.listening) ports.insert(socket.port);
  }
  return {ports.begin(), ports.end()};
}

}  // namespace icecore::replay

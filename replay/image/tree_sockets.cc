// SPDX-License-Identifier: Apache-2.0
#include "replay/image/tree_sockets.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "snapshot/capture/process_tree.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kListen = "0A";

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

/// "0100007F:1A0B": the port behind the colon.
int port_of(const std::string& word) {
  const auto colon = word.find(':');
  int port = 0;
  if (colon != std::string::npos) {
    std::from_chars(word.data() + colon + 1, word.data() + word.size(), port, 16);
  }
  return port;
}

struct Row {
  std::string local;
  std::string remote;
  std::string state;
};

std::vector<Row> rows_of(const std::set<std::string>& inodes) {
  std::vector<Row> rows;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream list(file);
    std::string line;
    std::getline(list, line);
    while (std::getline(list, line)) {
      // sl local rem st tx:rx tr:when retrnsmt uid timeout inode
      std::istringstream words(line);
      std::array<std::string, 10> word;
      for (std::string& each : word) words >> each;
      if (inodes.contains(word[9])) rows.push_back({word[1], word[2], word[3]});
    }
  }
  return rows;
}

}  // namespace

std::vector<TreeSocket> tree_sockets(int root) {
  const auto rows = rows_of(sockets_of(root));
  std::vector<TreeSocket> sockets;
  for (const auto& row : rows) {
    const bool inside = std::ranges::any_of(rows, [&](const Row& other) {
      return other.local == row.remote && other.remote == row.local;
    });
    sockets.push_back({port_of(row.local), port_of(row.remote), row.state == kListen, inside});
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

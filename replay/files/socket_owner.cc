// SPDX-License-Identifier: Apache-2.0
#include "replay/files/socket_owner.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace icecore::replay {
namespace {

namespace fs = std::filesystem;

std::string name_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

bool holds(const std::string& pid, const std::string& target) {
  std::error_code error;
  for (fs::directory_iterator entry("/proc/" + pid + "/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(entry->path(), gone) == target) return true;
  }
  return false;
}

/// Address words of /proc/net/tcp: "0100007F:1A0B" with the port behind the colon.
int port_of(const std::string& word) {
  const auto colon = word.find(':');
  int port = -1;
  if (colon != std::string::npos) {
    std::from_chars(word.data() + colon + 1, word.data() + word.size(), port, 16);
  }
  return port;
}

int local_port(const model::Socket& socket) {
  const auto colon = socket.local_text().rfind(':');
  return colon == std::string::npos ? -1 : std::atoi(socket.local_text().c_str() + colon + 1);
}

}  // namespace

std::string owner_of_socket(std::uint64_t inode) {
  const std::string target = "socket:[" + std::to_string(inode) + "]";
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string pid = entry->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (holds(pid, target)) return "process " + pid + " (" + name_of(pid) + ")";
  }
  return "a process that we cannot see";
}

std::string owner_of_port(const model::Socket& socket) {
  const bool tcp = socket.type() == SOCK_STREAM;
  for (const char* version : {"", "6"}) {
    std::ifstream list(std::string("/proc/net/") + (tcp ? "tcp" : "udp") + version);
    std::string line;
    std::getline(list, line);
    while (std::getline(list, line)) {
      // sl local rem st tx:rx tr:when retrnsmt uid timeout inode
      std::istringstream words(line);
      std::array<std::string, 10> word;
      for (std::string& each : word) words >> each;
      constexpr std::size_t kLocal = 1;
      constexpr std::size_t kInode = 9;
      if (port_of(word[kLocal]) != local_port(socket) || word[kInode] == "0") continue;
      return owner_of_socket(std::stoull(word[kInode]));
    }
  }
  return {};
}

}  // namespace icecore::replay

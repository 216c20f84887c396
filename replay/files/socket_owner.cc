// SPDX-License-Identifier: Apache-2.0
#include "replay/files/socket_owner.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/net_sockets.h"

namespace icecore::replay {
namespace {

namespace fs = std::filesystem;

std::string command_of(const std::string& pid) {
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

int local_port(const model::Socket& socket) {
  const auto colon = socket.local_text().rfind(':');
  return colon == std::string::npos ? -1 : std::atoi(socket.local_text().c_str() + colon + 1);
}

}  // namespace

SocketOwner owner_of_socket(std::uint64_t inode) {
  const std::string target = "socket:[" + std::to_string(inode) + "]";
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string pid = entry->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds(pid, target)) continue;
    return {std::atoi(pid.c_str()), "process " + pid + " (" + command_of(pid) + ")"};
  }
  return {0, "a process that we cannot see"};
}

SocketOwner owner_of_port(const model::Socket& socket) {
  const bool tcp = socket.type() == SOCK_STREAM;
  for (const char* version : {"", "6"}) {
    const std::string text = snapshot::ProcDirectory::read_file(std::string("/proc/net/") +
                                                                (tcp ? "tcp" : "udp") + version);
    for (const auto& other : snapshot::proc::parse_net_sockets(text)) {
      if (other.local_port != local_port(socket) || other.inode == 0) continue;
      return owner_of_socket(other.inode);
    }
  }
  return {};
}

}  // namespace icecore::replay

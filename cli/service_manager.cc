// SPDX-License-Identifier: Apache-2.0
#include "cli/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::cli {
namespace {

constexpr int kFirstGiven = 3;  // SD_LISTEN_FDS_START

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it later
  return value == nullptr ? "" : value;
}

std::vector<int> given_descriptors() {
  std::vector<int> given;
  if (variable("LISTEN_PID") != std::to_string(::getpid())) return given;
  const int count = std::atoi(variable("LISTEN_FDS").c_str());
  for (int i = 0; i < count; ++i) given.push_back(kFirstGiven + i);
  return given;
}

std::vector<const model::OpenFile*> listeners(const model::Snapshot& snapshot) {
  std::vector<const model::OpenFile*> found;
  for (const auto& file : snapshot.open_files()) {
    if (file.has_socket() && file.socket().state() == "LISTEN") found.push_back(&file);
  }
  return found;
}

/// Port number or path of a socket address: what it is known by.
std::string name_of(const std::string& address) {
  sa_family_t family = 0;
  if (address.size() < sizeof family) return {};
  std::memcpy(&family, address.data(), sizeof family);
  if (family == AF_UNIX) return address.substr(offsetof(sockaddr_un, sun_path));
  return address.substr(sizeof family, 2);  // the port, in both families
}

std::string name_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw_errno("descriptor " + std::to_string(fd) + " of $LISTEN_FDS: getsockname");
  }
  return name_of(std::string(reinterpret_cast<const char*>(&address), size));
}

}  // namespace

std::map<std::uint32_t, int> given_sockets(const model::Snapshot& snapshot) {
  std::map<std::uint32_t, int> taken;
  auto given = given_descriptors();
  auto wanted = listeners(snapshot);
  std::erase_if(given, [&](int fd) {
    const auto same = std::ranges::find_if(
        wanted, [&](const auto* file) { return name_of(file->socket().local()) == name_of(fd); });
    if (same == wanted.end()) return false;
    taken.emplace((*same)->id(), fd);
    wanted.erase(same);
    return true;
  });
  if (given.empty()) return taken;
  if (given.size() != 1 || wanted.size() != 1) {
    throw Error("descriptor " + std::to_string(given.front()) +
                " of $LISTEN_FDS has the address of no socket that the image listens on")
        .set_hint("let the socket unit listen on the image's ports, or use --port");
  }
  taken.emplace(wanted.front()->id(), given.front());
  return taken;
}

void notify_service_manager(std::string_view state) {
  const std::string path = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    throw_errno("tell the service manager at " + path);
  }
}

}  // namespace icecore::cli

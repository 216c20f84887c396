// SPDX-License-Identifier: Apache-2.0
#include "replay/image/copy_model.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "snapshot/capture/root_process.h"

namespace icecore::replay {
namespace {

bool has_port(const model::OpenFile& file) {
  const auto& socket = file.socket();
  return file.has_socket() && (socket.domain() == AF_INET || socket.domain() == AF_INET6) &&
         socket.local().size() >= sizeof(sockaddr_in) && socket.remote().empty();
}

int port_of(const model::Socket& socket) {
  sockaddr_in address{};  // the port is at the same place in both families
  std::memcpy(&address, socket.local().data(), sizeof address);
  return ntohs(address.sin_port);
}

void set_port(model::Socket& socket, int port) {
  sockaddr_in address{};
  std::string& bytes = *socket.mutable_local();
  std::memcpy(&address, bytes.data(), sizeof address);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(bytes.data(), &address, sizeof address);
  const auto colon = socket.local_text().rfind(':');
  socket.set_local_text(socket.local_text().substr(0, colon) + ":" + std::to_string(port));
}

}  // namespace

void change_ports(model::Snapshot& snapshot, const CopyChanges& changes) {
  std::set<int> found;
  for (auto& file : *snapshot.mutable_open_files()) {
    if (!has_port(file)) continue;
    const int port = port_of(file.socket());
    const auto change = changes.ports.find(port);
    if (change == changes.ports.end()) continue;
    found.insert(port);
    set_port(*file.mutable_socket(), change->second);
  }
  for (const auto& [from, to] : changes.ports) {
    if (found.contains(from)) continue;
    throw Error("--port " + std::to_string(from) + "=" + std::to_string(to) +
                ": nothing of the image listens on port " + std::to_string(from))
        .set_exit_status(ExitStatus::WrongUsage);
  }
}

bool raise_copy_event(model::Snapshot& snapshot) {
  const std::string number = environment_of_root(snapshot, "ICECORE_COPY_EVENTFD");
  const model::Process* const root = snapshot::root_process(snapshot);
  if (number.empty() || root == nullptr) return false;
  for (const auto& descriptor : root->descriptors()) {
    if (std::to_string(descriptor.fd()) != number) continue;
    for (auto& file : *snapshot.mutable_open_files()) {
      if (file.id() != descriptor.description()) continue;
      if (file.kind() != model::OpenFile::EVENTFD) return false;
      for (auto& line : *file.mutable_fdinfo()) {
        if (line.starts_with("eventfd-count:")) line = "eventfd-count:                1";
      }
      return true;
    }
  }
  return false;
}

std::string environment_of_root(const model::Snapshot& snapshot, const std::string& variable) {
  const model::Process* const root = snapshot::root_process(snapshot);
  if (root == nullptr) return {};
  const std::string block = std::string(1, '\0') + root->environment();
  const std::string mark = std::string(1, '\0') + variable + "=";
  const auto start = block.find(mark);
  if (start == std::string::npos) return {};
  const auto value = start + mark.size();
  return block.substr(value, block.find('\0', value) - value);
}

}  // namespace icecore::replay

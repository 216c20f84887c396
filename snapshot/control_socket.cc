// SPDX-License-Identifier: Apache-2.0
#include "snapshot/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

constexpr std::size_t kMaxLine = 4096;

/// An address for `socket` however long its path is: through a descriptor of its directory, as
/// sun_path holds 108 bytes only.
struct ShortAddress {
  explicit ShortAddress(const std::filesystem::path& socket)
      : directory(::open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    const std::string text =
        "/proc/self/fd/" + std::to_string(directory.get()) + "/" + socket.filename().string();
    if (!directory.valid()) throw_errno("open " + socket.parent_path().string());
    if (text.size() >= sizeof address.sun_path) {
      throw Error("socket name " + socket.filename().string() + " is too long");
    }
    address.sun_family = AF_UNIX;
    std::copy(text.begin(), text.end(), address.sun_path);
  }
  UniqueFd directory;
  sockaddr_un address{};
};

void write_line(int fd, std::string_view line) {
  const std::string text = std::string(line) + "\n";
  // A client that went away must not end us by SIGPIPE.
  [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

ControlServer::ControlServer(const std::filesystem::path& socket) : path_(socket) {
  const ShortAddress address(socket);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_.valid()) throw_errno("socket");
  ::unlink(socket.c_str());  // of a recorder that was killed; the recording's lock says it is ours
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address.address),
             sizeof address.address) != 0) {
    throw_errno("bind " + socket.string());
  }
  ::chmod(socket.c_str(), 0600);
  if (::listen(listener_.get(), 16) != 0) throw_errno("listen on " + socket.string());
}

ControlServer::~ControlServer() { ::unlink(path_.c_str()); }

std::vector<int> ControlServer::descriptors() const {
  std::vector<int> fds{listener_.get()};
  for (const auto& client : clients_) fds.push_back(client.fd.get());
  return fds;
}

std::vector<ControlServer::Request> ControlServer::receive() {
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) break;
    clients_.push_back({std::move(fd), {}});
  }
  std::vector<Request> requests;
  std::erase_if(clients_, [&](Client& client) { return !read_client(client, requests); });
  return requests;
}

bool ControlServer::read_client(Client& client, std::vector<Request>& requests) {
  std::array<char, 512> buffer{};
  for (;;) {
    const ssize_t got = ::recv(client.fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return false;
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return false;
      break;
    }
    client.received.append(buffer.data(), static_cast<std::size_t>(got));
    if (client.received.size() > kMaxLine) return false;
  }
  for (std::size_t end; (end = client.received.find('\n')) != std::string::npos;) {
    const std::string line = client.received.substr(0, end);
    client.received.erase(0, end + 1);
    const auto space = line.find(' ');
    requests.push_back({client.fd.get(), line.substr(0, space),
                        space == std::string::npos ? std::string() : line.substr(space + 1)});
  }
  return true;
}

void ControlServer::reply(int client, std::string_view line) {
  if (connected(client)) write_line(client, line);
}

bool ControlServer::connected(int client) const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [client](const Client& each) { return each.fd.get() == client; });
}

std::optional<std::string> ask_recorder(const std::filesystem::path& socket,
                                        std::string_view request) {
  if (!std::filesystem::exists(socket)) return std::nullopt;
  const ShortAddress address(socket);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.address),
                sizeof address.address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) return std::nullopt;
    throw_errno("connect " + socket.string());
  }
  write_line(fd.get(), request);
  std::string reply;
  std::array<char, 512> buffer{};
  while (reply.find('\n') == std::string::npos) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error("the recorder ended before it answered");
    reply.append(buffer.data(), static_cast<std::size_t>(got));
  }
  reply.erase(reply.find('\n'));
  if (reply.starts_with("ok")) return reply.size() > 3 ? reply.substr(3) : std::string();
  throw Error(reply.starts_with("error ") ? reply.substr(6) : reply);
}

}  // namespace icecore::snapshot

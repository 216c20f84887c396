// SPDX-License-Identifier: Apache-2.0
#include "replay/image/http_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

UniqueFd connected(int family, const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval second{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  if (::connect(fd.get(), address, size) != 0) return {};
  return fd;
}

UniqueFd connect_to(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd fd = connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (fd.valid()) return fd;
  sockaddr_in6 other{};
  other.sin6_family = AF_INET6;
  other.sin6_port = address.sin_port;
  other.sin6_addr = in6addr_loopback;
  return connected(AF_INET6, reinterpret_cast<const sockaddr*>(&other), sizeof other);
}

}  // namespace

bool answers_http(int port, const std::string& path) {
  const UniqueFd fd = connect_to(port);
  if (!fd.valid()) return false;
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return false;
  std::string answer;
  std::array<char, 4096> bytes{};
  // To its end: what is left open would be a connection that leaves the image.
  for (ssize_t got = 0; (got = ::recv(fd.get(), bytes.data(), bytes.size(), 0)) > 0;) {
    if (answer.size() < bytes.size()) answer.append(bytes.data(), static_cast<std::size_t>(got));
  }
  // "HTTP/1.1 200 OK"
  constexpr std::size_t kStatus = 9;
  if (!answer.starts_with("HTTP/1.") || answer.size() < kStatus + 3) return false;
  const int status = std::atoi(answer.substr(kStatus, 3).c_str());
  return status >= 200 && status < 400;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/socket_address.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace icecore::snapshot {
namespace {

template <typename Address>
bool copy_address(std::string_view bytes, Address& address) {
  if (bytes.size() < sizeof address) return false;
  std::memcpy(&address, bytes.data(), sizeof address);
  return true;
}

std::string unix_text(std::string_view bytes) {
  constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
  if (bytes.size() <= kPath) return {};
  bytes.remove_prefix(kPath);
  if (bytes[0] != '\0') return std::string(bytes.substr(0, bytes.find('\0')));
  std::string text(bytes);
  text[0] = '@';
  for (char& c : text) {
    if (c == '\0') c = '@';  // as ss(8) shows it
  }
  return text;
}

}  // namespace

std::string socket_address_text(std::string_view address) {
  sa_family_t family = AF_UNSPEC;
  if (!copy_address(address, family)) return {};
  char text[INET6_ADDRSTRLEN];
  if (sockaddr_in v4{}; family == AF_INET && copy_address(address, v4)) {
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (sockaddr_in6 v6{}; family == AF_INET6 && copy_address(address, v6)) {
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  if (sockaddr_nl netlink{}; family == AF_NETLINK && copy_address(address, netlink)) {
    return "netlink port " + std::to_string(netlink.nl_pid);
  }
  return family == AF_UNIX ? unix_text(address) : std::string();
}

}  // namespace icecore::snapshot

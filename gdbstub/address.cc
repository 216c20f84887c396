// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/address.h"

#include <charconv>

#include "base/error.h"

namespace icecore::gdbstub {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  Error error("'" + std::string(text) + "' is no address to listen on");
  error.set_hint("use HOST:PORT, :PORT or unix:PATH").set_exit_status(ExitStatus::WrongUsage);
  throw error;
}

}  // namespace

ListenAddress parse_listen_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text == "-" || text == "stdio") return StandardStreams{};
  if (text.starts_with(kUnix)) {
    if (text.size() == kUnix.size()) refuse(text);
    return UnixAddress{std::string(text.substr(kUnix.size()))};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) refuse(text);
  TcpAddress address;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  // An empty host is this machine, never all of its addresses: the world is asked in by name only.
  address.host = host.empty() ? "127.0.0.1" : std::string(host);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failure != std::errc() || end != port.data() + port.size()) refuse(text);
  return address;
}

}  // namespace icecore::gdbstub

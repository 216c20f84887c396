// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace icecore::gdbstub {

struct TcpAddress {
  std::string host;  ///< a name or a number; never empty
  std::uint16_t port = 0;
};
struct UnixAddress {
  std::string path;
};
struct StandardStreams {};
using ListenAddress = std::variant<TcpAddress, UnixAddress, StandardStreams>;

/// "HOST:PORT", ":PORT" (this machine only), "[::1]:PORT", "unix:PATH", "-" or "stdio". Port 0
/// takes a free one. Throws Error on anything else.
[[nodiscard]] ListenAddress parse_listen_address(std::string_view text);

}  // namespace icecore::gdbstub

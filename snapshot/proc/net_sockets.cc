// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/net_sockets.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

int port_of(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return 0;
  return to_number<int>(address.substr(colon + 1), 16).value_or(0);
}

}  // namespace

std::vector<NetSocket> parse_net_sockets(std::string_view text) {
  std::vector<NetSocket> sockets;
  take_line(text);  // the head
  while (!text.empty()) {
    // sl local rem st tx:rx tr:when retrnsmt uid timeout inode
    std::string_view line = take_line(text);
    take_word(line);
    NetSocket socket;
    socket.local = take_word(line);
    socket.remote = take_word(line);
    const auto state = to_number<unsigned>(take_word(line), 16);
    if (!state) continue;
    socket.local_port = port_of(socket.local);
    socket.remote_port = port_of(socket.remote);
    socket.state = *state;
    for (int skipped = 0; skipped < 5; ++skipped) take_word(line);
    socket.inode = take_number<std::uint64_t>(line);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

}  // namespace icecore::snapshot::proc

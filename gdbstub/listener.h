// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "gdbstub/address.h"

namespace icecore::gdbstub {

/// Who is at the other end of a TCP socket: "127.0.0.1, port 41234"; empty for other sockets.
[[nodiscard]] std::string peer_name(int socket);

/// A socket that waits for clients. A unix socket's file goes away with it, and a stale one, on
/// which nobody listens, is replaced.
class Listener {
 public:
  explicit Listener(const TcpAddress& address);
  explicit Listener(const UnixAddress& address);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// What gdb's `target remote` takes: "127.0.0.1:41234" or a path.
  [[nodiscard]] const std::string& client_address() const { return client_address_; }
  /// The next client's socket; invalid when it has gone away meanwhile.
  [[nodiscard]] UniqueFd accept() const;

 private:
  UniqueFd socket_;
  std::string client_address_;
  std::string path_;
};

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "snapshot/model/file.pb.h"

namespace icecore::replay {

/// A new socket of that family, type and protocol, nonblocking until its flags are set; ours
/// otherwise. Throws.
[[nodiscard]] UniqueFd new_socket(const model::OpenFile& file);

/// Sets the options that matter before bind(2): who may share an address, on which device. Throws.
void set_binding_options(int fd, const model::Socket& socket);

/// Makes every recorded option equal. Options that already are, are not touched, so that defaults
/// need no privilege. Throws, naming the option.
void set_all_options(int fd, const model::Socket& socket);

/// SO_PEEK_OFF, which what is sent and peeked later would move: after everything else.
void set_peek_offset(int fd, const model::Socket& socket);

[[nodiscard]] inline bool is_listening(const model::OpenFile& file) {
  return file.socket().state() == "LISTEN";
}

/// "127.0.0.1:6379", "@abstract", "/run/x.sock", or "unnamed".
[[nodiscard]] std::string socket_name(const model::Socket& socket);

/// bind(2) to the recorded local address. Throws with the address.
void bind_local(int fd, const model::Socket& socket);

}  // namespace icecore::replay

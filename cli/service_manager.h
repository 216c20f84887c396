// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::cli {

/// Listening sockets that a service manager gave us ($LISTEN_PID, $LISTEN_FDS; see
/// sd_listen_fds(3)), by the description of the snapshot that each replaces: the one with the same
/// port or path, else the only one that is left on both sides. Throws Error when one fits nothing.
[[nodiscard]] std::map<std::uint32_t, int> given_sockets(const model::Snapshot& snapshot);

/// Tells the service manager ($NOTIFY_SOCKET, see sd_notify(3)); nothing when there is none.
void notify_service_manager(std::string_view state);

}  // namespace icecore::cli

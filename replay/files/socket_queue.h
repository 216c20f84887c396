// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/makers.h"

namespace icecore::replay {

/// Sends what waited in the receive queue of `file` (a unix or connected TCP socket) from `sender`,
/// with descriptors and credentials. All descriptions have been made. Throws.
void send_messages(const Making& making, const model::OpenFile& file, int sender);

/// One datagram to an address.
void send_message_to(const Making& making, const model::SocketMessage& message, int sender,
                     const std::string& receiver);

/// Until the receive queue behind `fd` holds what it held. Throws after some seconds.
void wait_until_arrived(int fd, const model::Socket& socket);

/// The bytes of SO_SNDBUF while queues are filled; options are set afterwards.
void make_room_to_send(int fd);

}  // namespace icecore::replay

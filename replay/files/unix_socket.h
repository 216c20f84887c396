// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/makers.h"

namespace icecore::replay {

// Unix sockets. make_unix_sockets() makes all of the snapshot's, as most of them belong together.
void make_unix_sockets(Making& making);
Objection check_unix_socket(const Checking& checking, const model::OpenFile& file);
void fill_unix_socket(Making& making, const model::OpenFile& file);

}  // namespace icecore::replay

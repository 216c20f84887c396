// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// Adds to `socket` all options of its kind that getsockopt(2) tells; which, is a table in the .cc.
/// Domain, type and protocol must be filled. Options that are all zero bytes, as nearly all
/// defaults are, are left out.
void capture_socket_options(int borrowed, model::Socket& socket);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// Fills the terminal's settings, size, pty index (-1 when it is no pty) and unread bytes of `file`
/// through `borrowed`, a duplicate of its descriptor.
void capture_terminal(int borrowed, model::OpenFile& file);

}  // namespace icecore::snapshot

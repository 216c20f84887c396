// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>

#include "snapshot/model/file.pb.h"

namespace icecore::replay {

/// The flags of a description that F_SETFL changes, but O_ASYNC: that is set by its owner, last.
inline constexpr unsigned kStatusFlags = O_APPEND | O_DIRECT | O_NOATIME | O_NONBLOCK;

/// Gives `fd` the status flags of `file`. Throws.
void set_status_flags(int fd, const model::OpenFile& file);

/// Opens the description behind `fd` once more, as `file` has it: another description of the same
/// pipe, FIFO or file. Throws.
[[nodiscard]] int reopen(int fd, const model::OpenFile& file);

}  // namespace icecore::replay

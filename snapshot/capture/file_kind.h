// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// What kind of object an open file is: from the link /proc/PID/fd/N and the stat of what it leads
/// to.
model::OpenFile::Kind file_kind(std::string_view target, const struct ::stat& status);

/// "io_uring", "pipe", "character device": for messages.
std::string_view kind_text(model::OpenFile::Kind kind);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/model/file.pb.h"

namespace icecore::cli {

/// What an open file is, for people: "socket tcp 127.0.0.1:6379 LISTEN", "file /var/log/x rw at
/// 4096".
[[nodiscard]] std::string open_file_text(const model::OpenFile& file);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace icecore::cli {

/// Writes pids to `file`, one on a line; nothing when its name is empty. Throws Error.
void write_pid_file(const std::string& file, const std::vector<int>& pids);

}  // namespace icecore::cli

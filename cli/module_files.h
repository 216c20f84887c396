// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "snapshot/stored_snapshot.h"

namespace icecore::cli {

/// Writes the executable and libraries of `process`, as the snapshot keeps them, below `root` at
/// their own paths, also at the names that the dynamic loader has for them (/lib for /usr/lib): for
/// lldb, which asks no stub for files. Returns where the executable is; empty when it is not held.
std::filesystem::path write_module_files(const snapshot::StoredSnapshot& snapshot,
                                         const model::Process& process,
                                         const std::filesystem::path& root);

}  // namespace icecore::cli

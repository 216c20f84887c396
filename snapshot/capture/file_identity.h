// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include "snapshot/model/file.pb.h"

namespace icecore::snapshot {

/// What tells one file from another, and whether it changed since.
void fill_identity(const struct ::stat& status, model::FileIdentity& identity);

/// Adds the file handle of `path` below `directory`, links followed; nothing where the file system
/// has none.
void fill_handle(int directory, const char* path, model::FileIdentity& identity);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "snapshot/model/file.pb.h"

namespace icecore::replay {

/// Where a file that has a name is now.
enum class Whereabouts {
  AtItsPath,  ///< the same file (device and inode)
  Elsewhere,  ///< the same file, renamed or linked since: found by its handle
  Replaced,   ///< another file is at its path, and it cannot be found
  Gone,       ///< nothing is at its path
};

struct NamedFile {
  Whereabouts whereabouts = Whereabouts::Gone;
  /// O_PATH or not as `flags` said; of the file itself, or of what replaced it. Invalid when Gone.
  UniqueFd fd;
};

/// Looks for the regular file `identity`, once at `path`, below `root`, and opens it.
[[nodiscard]] NamedFile find_named_file(int root, const std::string& path,
                                        const model::FileIdentity& identity, unsigned flags);

}  // namespace icecore::replay

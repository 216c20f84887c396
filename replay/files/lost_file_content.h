// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// Whether the content of a file without a name is in the snapshot, or it is empty.
[[nodiscard]] bool can_make_lost_file(const model::Snapshot& snapshot,
                                      const model::FileIdentity& identity);

/// Writes the content into the empty file `fd` and gives it its size, owner, permissions and times.
void fill_lost_file(const snapshot::StoredSnapshot& snapshot, const model::FileIdentity& identity,
                    int fd);

/// Both for a new file at `path` below `root`, unlinked.
[[nodiscard]] UniqueFd make_lost_file(const snapshot::StoredSnapshot& snapshot,
                                      const std::string& path, const model::FileIdentity& identity,
                                      int root);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// Whether `fd` is the file that the snapshot knew, by what stat tells: inode, size, times.
enum class Likeness {
  Same,      ///< the same file, untouched since
  Touched,   ///< the same file and the same size and mtime, but something else of it changed
  Different  ///< another file, or another content
};
[[nodiscard]] Likeness compare_identity(int fd, const model::FileIdentity& identity);

/// True when every byte of `fd` is as in `stored`. Reads both to the first difference.
[[nodiscard]] bool has_content(int fd, const store::StoredFile& stored);

/// True when the mapped bytes of `file` can be had from `fd`: the same file, or the same content;
/// by build-id and size when the content is not held.
[[nodiscard]] bool serves_mapping(const snapshot::StoredSnapshot& snapshot,
                                  const model::MappedFile& file, int fd);

}  // namespace icecore::replay

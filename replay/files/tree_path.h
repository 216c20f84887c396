// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace icecore::replay {

/// Opens an absolute path of the snapshot below `root` (O_PATH descriptor of the tree's root
/// directory): symbolic links, ".." included, never lead out of it. `flags` as for open(2);
/// O_CLOEXEC is added. Invalid, with errno set, when it cannot be opened.
[[nodiscard]] UniqueFd try_open_in_tree(int root, const std::string& path, unsigned flags,
                                        unsigned mode = 0);

/// The same; throws Error "open PATH: why".
[[nodiscard]] UniqueFd open_in_tree(int root, const std::string& path, unsigned flags);

/// Opens the file behind `fd` once more, with a description of its own.
[[nodiscard]] UniqueFd reopen(int fd, unsigned flags);

/// "/a/b" of "/a/b/c", and "c". Of a path directly below the root: "/".
[[nodiscard]] std::string directory_of(const std::string& path);
[[nodiscard]] std::string name_of(const std::string& path);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Files that no path leads to but that the tree still uses: deleted ones, and mapped ones that
/// were replaced since. Each is made once, however many mappings and descriptors need it, so that
/// they show one inode again. Held until the restore is done; the tree's own references keep them
/// afterwards.
class LostFiles {
 public:
  /// Makes the file, open for reading and writing.
  using Make = std::function<UniqueFd()>;
  /// The descriptor stays ours; see reopen().
  int find_or_make(const model::FileIdentity& identity, const Make& make);

  [[nodiscard]] bool knows(const model::FileIdentity& identity) const;
  /// The descriptor, or -1.
  [[nodiscard]] int find(const model::FileIdentity& identity) const;

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, UniqueFd> files_;  // by device and inode
};

/// A new empty file without a name: created at `path` below `root` and unlinked at once, so that
/// /proc shows the same path, "(deleted)" behind it. When the name is taken by another file it gets
/// none (O_TMPFILE), when its directory cannot be had it lies in memory. Directories that are gone
/// are made for the moment.
[[nodiscard]] UniqueFd make_nameless_file(int root, const std::string& path);

/// Owner, permissions, size and time of modification; after the content has been written.
void restore_attributes(int fd, const model::FileIdentity& identity);

}  // namespace icecore::replay

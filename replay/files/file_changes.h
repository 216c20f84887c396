// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/files/held_content.h"
#include "replay/files/named_file.h"

namespace icecore::replay {

/// A file that the restored tree would find other than it left it.
struct FileChange {
  int pid = 0;         ///< the first process that has it
  std::string object;  ///< "fd 3 (/tmp/x)", "mapping (/tmp/x)"
  std::string path;
  model::FileIdentity identity;  ///< as it was
  Whereabouts whereabouts = Whereabouts::AtItsPath;
  std::string what;  ///< "it had 3 bytes and has 5"
  enum class Use { Read, Written };
  Use use = Use::Read;
  std::optional<HeldContent> content;
};

/// The files that matter: those that the tree may write and whose content is not as it was, and
/// those that it only reads and that were replaced, deleted or cut off. A file that was renamed is
/// found and has not changed, and so is a copy with its size and time. Below `root`.
[[nodiscard]] std::vector<FileChange> find_file_changes(const snapshot::StoredSnapshot& snapshot,
                                                        int root);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// A file whose content may have to be kept, and where it can be opened.
struct KeptCandidate {
  model::KeptFile::Cause cause = model::KeptFile::UNKNOWN;
  std::string path;
  model::FileIdentity identity;
  int pid = 0;
  /// Below /proc/PID: "fd/3" or "map_files/7f00-7f10".
  std::string link;
  std::string object;  ///< for messages: "fd 3 (/tmp/x)"
  bool mapped_for_writing = false;
  bool has_lease = false;
};

enum class Written { Ignore, Keep };

/// The files of a captured tree whose contents nobody else holds, and with Keep those that the tree
/// may write. Each once. Not those whose pages the snapshot has as shared memory.
[[nodiscard]] std::vector<KeptCandidate> find_kept_candidates(const model::Snapshot& snapshot,
                                                              Written written);

/// Opens it for reading without a trace: no access time, no lease broken. Invalid when it cannot be
/// opened, or lies on a file system that has no contents of its own (sysfs and the like).
[[nodiscard]] UniqueFd open_candidate(const KeptCandidate& candidate);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// The process that the tree was taken from; null in a snapshot that does not hold it.
[[nodiscard]] inline const model::Process* root_process(const model::Snapshot& snapshot) {
  const auto found =
      std::ranges::find(snapshot.processes(), snapshot.root_pid(), &model::Process::pid);
  return found == snapshot.processes().end() ? nullptr : &*found;
}

}  // namespace icecore::snapshot

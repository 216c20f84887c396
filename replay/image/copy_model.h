// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// In what a copy differs from its image.
struct CopyChanges {
  std::map<int, int> ports;  ///< listening TCP and UDP ports, old to new
};

/// Binds what listened on an old port to the new one. Throws Error (exit status 2) naming a port
/// that nothing of the image listens on.
void change_ports(model::Snapshot& snapshot, const CopyChanges& changes);

/// Makes the eventfd that the program got when it was built readable ($ICECORE_COPY_EVENTFD).
/// False when it has none.
bool raise_copy_event(model::Snapshot& snapshot);

/// The value of a variable in the environment of the root; empty when there is none.
[[nodiscard]] std::string environment_of_root(const model::Snapshot& snapshot,
                                              const std::string& variable);

}  // namespace icecore::replay

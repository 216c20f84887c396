// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Makes the terminal `fd`, which is ours, what the terminal was on which the tree had been
/// started: its settings (raw for an editor, say) and the process group in its foreground. `pids`
/// maps Process.pid to living processes. Its size stays as it is; whoever is in the foreground
/// should be told by SIGWINCH when the tree runs. Returns what could not be done, empty when all
/// was or when the tree had no such terminal. Does not throw.
std::string hand_over_terminal(int fd, const model::Snapshot& model,
                               const std::map<int, int>& pids);

}  // namespace icecore::replay

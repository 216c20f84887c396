// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gdbstub/target/thread.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Every shown thread with its name and the CPU that it last ran on, the leader first.
[[nodiscard]] std::vector<gdbstub::ThreadDescription> describe_threads(const LiveTree& tree);

}  // namespace icecore::replay

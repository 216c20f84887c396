// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace icecore::replay {

/// Runs `sh -c COMMAND` in the namespaces of process `init` and waits for its end; `environment`
/// ("K=V") is added to ours. Returns its exit status as a shell has it. Signals are not blocked in
/// it.
int run_inside(int init, const std::string& command, const std::vector<std::string>& environment);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/snapshot_diff.h"
#include "snapshot/symbols/module_cache.h"

namespace icecore::cli {

/// The global and static variables inside the changed pages of `memory` whose values differ.
[[nodiscard]] std::vector<symbols::VariableChange> diff_variables(
    const snapshot::StoredSnapshot& before, const model::Process& process_before,
    const snapshot::StoredSnapshot& after, const model::Process& process_after,
    const std::vector<MemoryChange>& memory, symbols::ModuleCache& modules);

}  // namespace icecore::cli

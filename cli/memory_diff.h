// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/snapshot_diff.h"

namespace icecore::cli {

/// The pages whose bytes differ, by mapping of `after`. Only for two snapshots of one recording
/// whose processes are the same space: page maps name the candidates, so that equal memory is not
/// read.
[[nodiscard]] std::vector<MemoryChange> diff_memory(const snapshot::StoredSnapshot& before,
                                                    const model::Process& process_before,
                                                    const snapshot::StoredSnapshot& after,
                                                    const model::Process& process_after);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// /proc/PID/task/TID/stat and status, written again from the model. What the model does not keep
/// (page faults, CPU statistics) is 0.
[[nodiscard]] std::string proc_stat_text(const model::Process& process,
                                         const model::Thread& thread);
[[nodiscard]] std::string proc_status_text(const model::Process& process,
                                           const model::Thread& thread);

}  // namespace icecore::snapshot

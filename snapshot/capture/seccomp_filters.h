// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// 0 none, 1 strict, 2 filters.
[[nodiscard]] unsigned seccomp_mode(const model::Process& process, const model::Thread& thread);

/// Fills in the filters of the threads that are stopped by us.
void capture_seccomp_filters(model::Process& process);

/// Why the seccomp state of the thread cannot be set up anew; empty when it can.
[[nodiscard]] std::string seccomp_obstacle(const model::Process& process,
                                           const model::Thread& thread);

}  // namespace icecore::snapshot

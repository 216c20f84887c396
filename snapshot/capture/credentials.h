// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/process.pb.h"
#include "snapshot/proc/status.h"

namespace icecore::snapshot {

/// All that status tells of a task's rights. The securebits are not in /proc: 0 until somebody asks
/// the task itself.
void fill_credentials(const proc::Status& status, model::Credentials& credentials);

}  // namespace icecore::snapshot

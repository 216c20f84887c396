// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Limits and the like: what may be set from outside. What this machine or
/// our rights do not allow is told in `notes`, one line each.
void set_attributes(const RestoredProcess& process, std::vector<std::string>& notes);

/// CPUs, policies and priorities of its threads. At the end: on another CPU than ours a thread is
/// many times slower to drive.
void set_scheduling(const RestoredProcess& process, std::vector<std::string>& notes);

/// The same for what only the process itself can set.
void set_own_attributes(const RestoredProcess& process, CallBatch& batch);

}  // namespace icecore::replay

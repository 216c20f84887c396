// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "snapshot/stored_snapshot.h"
#include "store/store.h"

namespace icecore::replay {

/// Stores a snapshot once more, whole and by itself, as the first of the new recording `name` of
/// another store; `command` is shown by `list`. Every byte is checked against its hash on the way.
/// Needs memory for the largest address space. Returns its number.
std::uint64_t transfer_snapshot(const snapshot::StoredSnapshot& from, store::Store& to,
                                const std::string& name, const std::string& command);

/// Reads every page and file that the snapshot needs, and throws Error naming the place that is
/// damaged. Returns how many bytes were read.
std::uint64_t read_whole(const snapshot::StoredSnapshot& snapshot);

}  // namespace icecore::replay

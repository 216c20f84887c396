// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// What holds the snapshot to the moment or the machine that it was taken on, one line each, with
/// what to do about it: secrets, random seeds, pid files, host names, sizes taken from the machine.
/// Nothing of it keeps the image from being built.
[[nodiscard]] std::vector<std::string> image_advice(const model::Snapshot& snapshot);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// A tree that `icecore restore` made in namespaces of its own says so by the source of the /proc
/// mount in them, "icecore:NAME@N": no file has to be kept of it, and it goes with the tree.
inline constexpr std::string_view kLifeMark = "icecore:";

/// The snapshot that the process was restored from; nullopt when it was not, or in place.
std::optional<std::string> restored_from(int pid);

/// Fills Snapshot.origin and the clock offsets of a tree in a time namespace of its own, and marks
/// the mount namespaces that a restore makes anew by itself.
void capture_life_origin(model::Snapshot& snapshot);

}  // namespace icecore::snapshot

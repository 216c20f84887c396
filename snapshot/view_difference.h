// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/stored_snapshot.h"

namespace icecore::snapshot {

/// What came, went and was written between two snapshots of one recording, in lines: processes,
/// threads, mappings, and how many pages of each mapping. Reads page maps; pages only where the two
/// snapshots were taken by two runs of icecore, whose page versions cannot be compared.
[[nodiscard]] std::string describe_difference(const StoredSnapshot& before,
                                              const StoredSnapshot& after);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "store/catalog.h"
#include "store/snapshot_name.h"

namespace icecore::store {

/// Finds the snapshot that a name means; `now_ns` (realtime) is what times are reckoned from.
/// Throws a one-line Error that says what is near.
[[nodiscard]] SnapshotKey resolve_name(const Catalog& catalog, std::string_view text,
                                       std::int64_t now_ns);
/// One name, or both ends of A..B and all between.
[[nodiscard]] std::vector<SnapshotKey> resolve_names(const Catalog& catalog, std::string_view text,
                                                     std::int64_t now_ns);

}  // namespace icecore::store

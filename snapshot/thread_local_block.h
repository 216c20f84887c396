// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "snapshot/link_map.h"

namespace icecore::snapshot {

/// The address, in the thread whose fs_base is `thread_pointer`, of what lies `offset` bytes into
/// the thread-local block of the library with `link_map`. Follows glibc's structures with the
/// offsets that glibc itself publishes for libthread_db (_thread_db_*). Throws Error with the
/// reason when that is not possible.
[[nodiscard]] std::uint64_t thread_local_address(const LinkMap& maps, std::uint64_t thread_pointer,
                                                 std::uint64_t offset, std::uint64_t link_map);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::replay {

/// Without privileges, puts this process into a user namespace of its own in which it may make the
/// other namespaces of a restored tree. It knows our user and group only, as the same numbers; what
/// is restored there has no more rights outside than we have. Nothing for root, and where the
/// kernel does not allow it; then a restore says what it lacks. One thread only.
void enter_own_users();

/// Whether groups are those of the starter and cannot be set, as in such a namespace.
[[nodiscard]] bool has_fixed_groups();

}  // namespace icecore::replay

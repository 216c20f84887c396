// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::replay {

/// Moves process `pid` into the cgroups that we are in ourselves, in every hierarchy where it is in
/// another: what limits and counts the starter does so for what it starts. Throws Error naming the
/// cgroup that may not be entered.
void move_to_own_cgroups(int pid);

}  // namespace icecore::replay

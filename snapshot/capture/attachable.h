// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/error.h"

namespace icecore::snapshot {

/// What to do about a process that asked not to be dumped (PR_SET_DUMPABLE 0): its memory holds
/// secrets, and a snapshot would keep them.
enum class Undumpable { Refuse, Allow };

/// Every reason why icecore cannot or will not take process `pid` as the root of a tree, each with
/// its why and hint; empty when it can. Looks only, touches nothing.
std::vector<Error> attach_obstacles(int pid, Undumpable undumpable = Undumpable::Refuse);

/// Throws the first of them.
void require_attachable(int pid, Undumpable undumpable = Undumpable::Refuse);

}  // namespace icecore::snapshot

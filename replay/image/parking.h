// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/puppet.h"

namespace icecore::replay {

/// Lets a puppet wait on its own for whoever drives it next: a loop around pause(2) in its area,
/// all signals blocked. The caller detaches from it, or dies: it stays where it is.
void park(const Puppet& puppet);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/restore/puppet.h"

namespace icecore::replay {

/// In the mount namespace that `init` lives in, the file at `path` reads as `text` and is
/// read-only; outside of it nothing changes. The file must exist.
void show_own_file(Puppet& init, const std::string& path, const std::string& text);

}  // namespace icecore::replay

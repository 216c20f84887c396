// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/timeline/moment.h"

namespace icecore::replay {

/// What a program has mapped, unmapped and written in its private memory from one moment to
/// another, in lines; what lies below its stack pointer is not looked at.
[[nodiscard]] std::string describe_difference(const Moment& before, const Moment& after);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Fills what does not change while icecore runs: kernel, host, boot, processor, and where its
/// XSAVE image keeps each component from 2 on (0 and 1, x87 and SSE, lie in the fixed legacy area).
void capture_machine(model::Machine& machine);

/// The running kernel's random name for its life: another after every boot.
[[nodiscard]] std::string boot_id();

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// Fills Mapping.guards with the MADV_GUARD_INSTALLed parts of `mapping`, from an open
/// /proc/PID/pagemap. Only mappings with the flag "gu" have any.
void capture_guard_regions(int pagemap, model::Mapping& mapping);

}  // namespace icecore::snapshot

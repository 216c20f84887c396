// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/invocation.h"
#include "cli/view_server.h"
#include "gdbstub/server.h"

namespace icecore::cli {

/// Throws UsageError for --share without --live.
void check_sharing(const Invocation& invocation);

/// Restores the snapshot as --live and --share say, on the calling thread, which then traces it.
/// The life ends with the last copy of the factory; `viewed` must outlive it. Throws Error, or
/// Refused when it cannot be restored.
[[nodiscard]] gdbstub::TargetFactory revived_targets(const Invocation& invocation,
                                                     const ViewedSnapshot& viewed);

}  // namespace icecore::cli

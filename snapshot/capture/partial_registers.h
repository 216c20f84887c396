// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// For a thread that cannot be stopped by us but sleeps in a system call: rip, rsp, orig_rax and
/// the arguments, from /proc/PID/syscall. All other registers are zero. False when even that is
/// unknown.
bool fill_partial_registers(int pid, int tid, model::Thread& thread);

}  // namespace icecore::snapshot

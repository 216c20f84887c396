// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

namespace icecore::snapshot {

/// A stopped thread inside a restartable sequence (rseq): does now what the kernel would do when
/// the thread goes on, sets it to where the sequence is aborted. The kernel cannot do it any more
/// once the thread has run something else for us: it takes the sequence for over then, and the
/// thread would go on in the middle of it. `registers` are those of the thread, not in a system
/// call. Returns whether they were changed.
bool leave_restartable_sequence(int pid, int tid, user_regs_struct& registers);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/makers.h"
#include "replay/restore/puppet.h"

namespace icecore::replay {

// Locks on files, as fdinfo told of them. A lock of flock(2) and one of F_OFD_SETLK belong to the
// description, so that we can take them; one of F_SETLK to the process, and a lease to whoever made
// it, so that these must do it.

/// Somebody holds a lock now that does not go with one that `file` had.
[[nodiscard]] Objection check_locks(const Checking& checking, const model::OpenFile& file);

/// Takes the description's own locks. Throws Refused naming the holder.
void take_locks(int fd, const model::OpenFile& file);

/// The locks that `process` has as a process.
void add_process_locks(const model::Snapshot& snapshot, const model::Process& process,
                       CallBatch& batch);

/// The lease on `file`, by its descriptor `fd`. Ahead of its owner (F_SETOWN), which it changes.
void add_lease(const model::OpenFile& file, int fd, CallBatch& batch);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "replay/files/makers.h"
#include "replay/restore/puppet.h"

namespace icecore::replay {

// Locks on files, as fdinfo told of them. One of F_OFD_SETLK belongs to the description and to
// nobody else, so that we can take it; one of F_SETLK to the process; locks of flock(2) and leases
// remember who made them, so that these must do it.

/// Somebody holds a lock now that does not go with one that `file` had.
[[nodiscard]] Objection check_locks(const Checking& checking, const model::OpenFile& file);

/// Takes the description's own locks. Throws Refused naming the holder.
void take_locks(int fd, const model::OpenFile& file);

/// The locks that `process` has as a process, and those of flock(2) that it made. `is_finisher`
/// says whether it speaks for a description whose lock was made by a process that has ended.
void add_process_locks(const model::Snapshot& snapshot, const model::Process& process,
                       const std::function<bool(const model::FileDescriptor&)>& is_finisher,
                       CallBatch& batch);

/// The lease on `file`, by its descriptor `fd`. Ahead of its owner (F_SETOWN), which it changes.
void add_lease(const model::OpenFile& file, int fd, CallBatch& batch);

}  // namespace icecore::replay

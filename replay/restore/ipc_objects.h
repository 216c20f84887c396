// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Of the mode of a System V object: what IPC_SET takes.
inline constexpr unsigned kPermissions = 0777;

/// Whether the tree's root was in a namespace of that kind ("ipc", "uts") that it did not share
/// with icecore.
[[nodiscard]] bool had_own_namespace(const model::Snapshot& snapshot, std::string_view kind);

/// The next System V object of `kind` ("shm", "sem", "msg") in this thread's IPC namespace gets
/// that id. Since Linux 3.9 with CONFIG_CHECKPOINT_RESTORE; throws.
void choose_next_id(const char* kind, int id);

/// Makes the semaphore sets and message queues of the root's own IPC namespace in the new one that
/// `pid` is in, with ids, keys, values and messages. Their creator becomes icecore's user, and what
/// the kernel keeps to undo at the end of a process (SEM_UNDO) is not known. Throws, naming them.
void make_ipc_objects(const model::Snapshot& snapshot, int pid);

/// Gives the UTS namespace of `pid`, which must be a new one, the names of the root's. Throws.
void set_host_name(const model::Snapshot& snapshot, int pid);

}  // namespace icecore::replay

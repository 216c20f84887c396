// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// Whether the file behind `fd` is a POSIX message queue.
[[nodiscard]] bool is_posix_queue(int fd);

/// Fills in what can be read of the queue behind `fd` without taking anything out of it; its name
/// is the caller's to know. Throws.
void fill_posix_queue(int fd, model::PosixQueue& queue);

/// All queues of the calling thread's IPC namespace. Throws.
[[nodiscard]] std::vector<model::PosixQueue> posix_queues();

}  // namespace icecore::snapshot

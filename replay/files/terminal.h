// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/puppet.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The number of the pty whose slave is `device`; -1 for any other device.
[[nodiscard]] int pty_of_device(unsigned device);

/// A session leader takes its controlling terminal again, when the tree has its master, and puts
/// the right process group in the foreground. Its children had it by inheritance; those that exist
/// already do not get it, those that it starts from now on do.
void take_terminal(const model::Snapshot& model, const model::Process& process, CallBatch& batch);

}  // namespace icecore::replay

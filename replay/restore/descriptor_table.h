// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/description_maker.h"
#include "replay/restore/restored_process.h"
#include "replay/restore/transport.h"

namespace icecore::replay {

/// Puts the descriptions at the numbers that the process has them at, and closes all else but the
/// transport.
void fill_descriptor_table(RestoredProcess& process, const Descriptions& descriptions,
                           const Transport& transport);

/// Root and working directory, as descriptors of ours (O_PATH).
void set_directories(RestoredProcess& process, const Transport& transport, int root,
                     int working_directory);

/// The last use of the transport is over.
void close_transport(const Transport& transport, CallBatch& batch);

}  // namespace icecore::replay

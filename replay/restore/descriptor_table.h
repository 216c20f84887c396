// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"
#include "replay/files/description_maker.h"
#include "replay/restore/restored_process.h"
#include "replay/restore/transport.h"

namespace icecore::replay {

/// As descriptors of ours (O_PATH).
struct Directories {
  UniqueFd root;  ///< invalid when it is the one that the process has
  UniqueFd working;
};

/// Enters the directories, puts the descriptions at the numbers that the process has them at, and
/// closes all else but the transport.
void fill_descriptor_table(RestoredProcess& process, const Descriptions& descriptions,
                           const Directories& directories, const Transport& transport);

/// Only the directories: of a process whose descriptor table is another's.
void set_directories(RestoredProcess& process, const Directories& directories,
                     const Transport& transport);

/// The last use of the transport is over.
void close_transport(const Transport& transport, CallBatch& batch);

}  // namespace icecore::replay

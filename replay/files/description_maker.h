// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/unique_fd.h"
#include "replay/files/file_options.h"
#include "replay/files/lost_files.h"
#include "replay/restore/puppet.h"
#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// The open file descriptions of a snapshot by OpenFile.id, held by this process until they are
/// sent to their owners.
using Descriptions = std::map<std::uint32_t, UniqueFd>;

/// Where the restored tree lives.
struct Surroundings {
  /// O_PATH descriptor of the tree's root directory in its own mount namespace; paths of the
  /// snapshot are opened below it (openat2 with RESOLVE_IN_ROOT).
  int root = -1;
  /// A process inside the tree's namespaces (PID, time, mount, IPC): makes what depends on them; we
  /// fetch it with pidfd_getfd. Its own descriptors are replaced later.
  Puppet* maker = nullptr;
  /// From pids of the snapshot (Process.pid) to pids in our namespace, complete when the processes
  /// have been made.
  std::map<int, int> pids;
  /// The same pids to the puppets, which do what the kernel keeps the name of the doer of. May be
  /// empty.
  std::map<int, Puppet*> puppets{};
  bool in_place = false;
  /// Made as they are needed, by mappings and descriptors alike.
  std::shared_ptr<LostFiles> lost = std::make_shared<LostFiles>();
};

/// What of the snapshot's open files could not be made again here and now. Looks only.
[[nodiscard]] Refusals check_descriptions(const snapshot::StoredSnapshot& snapshot,
                                          const FileOptions& options, bool in_place);

/// Makes every description of the snapshot. Throws Error naming the descriptor and file; whatever
/// was made is gone then.
[[nodiscard]] Descriptions make_descriptions(const snapshot::StoredSnapshot& snapshot,
                                             const FileOptions& options,
                                             Surroundings& surroundings);

/// When `puppet` has its descriptors at their numbers: what only their owner can do (epoll targets,
/// locks, F_SETOWN, leases). Called once for each process, parents first.
void finish_descriptions(const snapshot::StoredSnapshot& snapshot, const model::Process& process,
                         Puppet& puppet, const Surroundings& surroundings);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "replay/restore/puppet.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Who does what only an owner of a description can do, by OpenFile.id: the first process that has
/// it, by the first of its descriptors.
struct Finisher {
  int pid;  ///< Process.pid
  int fd;
  bool operator==(const Finisher&) const = default;
};
using Finishers = std::map<std::uint32_t, Finisher>;
Finishers find_finishers(const model::Snapshot& model);

/// Whom its signals go to (F_SETOWN, F_SETSIG) and O_ASYNC. The kernel keeps the number of the
/// descriptor that sets O_ASYNC, so a process of the tree must do it.
void restore_owner(const model::Snapshot& model, const model::OpenFile& file, int fd,
                   CallBatch& batch);

/// Epoll targets that are signalfds, of the epolls that `process` finishes: they tell of the
/// signals of the process that adds them.
void add_signalfd_targets(const model::Snapshot& model, const Finishers& finishers,
                          const model::Process& process, CallBatch& batch);

}  // namespace icecore::replay

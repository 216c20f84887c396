// SPDX-License-Identifier: Apache-2.0
// Which System V shared memory a restore could not make: without touching anything.
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "replay/restore/ipc_objects.h"
#include "replay/restore/memory_segments.h"
#include "snapshot/capture/ipc_objects.h"
#include "snapshot/capture/machine.h"

namespace icecore::replay {
namespace {

/// A segment is attached whole: where the program has unmapped a part of it, shmat(2) cannot make
/// the rest.
std::set<std::uint64_t> partly_attached(const model::Snapshot& snapshot) {
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (const auto& object : snapshot.shared_objects()) {
    if (is_segment(object)) sizes[object.space()] = object.identity().size();
  }
  std::set<std::uint64_t> partly;
  for (const auto& process : snapshot.processes()) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>
        mapped;  // space, base -> bytes
    for (const auto& mapping : process.mappings()) {
      if (!sizes.contains(mapping.shared_space())) continue;
      mapped[{mapping.shared_space(), mapping.start() - mapping.offset()}] +=
          mapping.end() - mapping.start();
    }
    for (const auto& [attached, bytes] : mapped) {
      const std::uint64_t size = sizes[attached.first];
      const std::uint64_t whole = (size + store::kPageSize - 1) / store::kPageSize;
      if (bytes != whole * store::kPageSize) partly.insert(attached.first);
    }
  }
  return partly;
}

/// Sets of semaphores that a process of the tree was the last to change: they would stay behind.
std::vector<int> semaphores_of(const model::Snapshot& snapshot) {
  std::set<int> pids;
  for (const auto& process : snapshot.processes()) pids.insert(process.pid());
  std::vector<int> sets;
  for (const int id : snapshot::semaphore_sets()) {
    semid_ds status{};
    if (::semctl(id, 0, IPC_STAT, &status) != 0) continue;  // removed meanwhile
    for (unsigned long i = 0; i < status.sem_nsems; ++i) {
      if (!pids.contains(::semctl(id, static_cast<int>(i), GETPID))) continue;
      sets.push_back(id);
      break;
    }
  }
  return sets;
}

}  // namespace

std::string name_of_segment(const model::SharedObject& object) {
  return "System V shared memory " + std::to_string(object.sysv_id());
}

std::string obstacle_to_segment(const model::SharedObject& object) {
  shmid_ds there{};
  if (::shmctl(object.sysv_id(), IPC_STAT, &there) == 0) {
    if (there.shm_nattch != 0) {
      return std::to_string(there.shm_nattch) + " attach it now (last used by process " +
             std::to_string(there.shm_lpid) + ")";
    }
    const bool same =
        there.shm_perm.__key == object.sysv_key() && there.shm_segsz == object.identity().size();
    return same ? "" : "its id is taken by a segment of another key or size";
  }
  if (object.sysv_key() == IPC_PRIVATE) return {};
  const int other = ::shmget(object.sysv_key(), 0, 0);
  return other < 0 ? "" : "its key is taken by segment " + std::to_string(other);
}

bool needs_own_ipc(const model::Snapshot& snapshot, bool in_place) {
  if (had_own_namespace(snapshot, "ipc")) return true;
  return !in_place && std::ranges::any_of(snapshot.shared_objects(), is_segment);
}

Refusals check_segments(const model::Snapshot& snapshot, bool in_place) {
  Refusals refusals;
  const auto partly = partly_attached(snapshot);
  const bool own = needs_own_ipc(snapshot, in_place);
  bool any = false;
  for (const auto& object : snapshot.shared_objects()) {
    if (!is_segment(object)) continue;
    any = true;
    std::string reason;
    if (object.identity().size() == 0) {
      reason = "its size was not readable when the snapshot was taken";
    } else if (partly.contains(object.space())) {
      reason = "a process has unmapped a part of it, which shmat(2) cannot do again";
    } else if (!own) {
      reason = obstacle_to_segment(object);
    }
    if (!reason.empty()) refusals.push_back({0, name_of_segment(object), reason, ""});
  }
  if (any && own && !had_own_namespace(snapshot, "ipc") &&
      snapshot.machine().boot_id() == snapshot::boot_id()) {
    for (const int id : semaphores_of(snapshot)) {
      refusals.push_back(
          {0, "System V semaphores " + std::to_string(id),
           "they cannot be taken along into the IPC namespace that the tree's shared "
           "memory needs beside the original",
           "icecore restore --in-place keeps the present ones"});
    }
  }
  return refusals;
}

}  // namespace icecore::replay

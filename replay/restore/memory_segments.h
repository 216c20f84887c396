// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// Whether the tree gets an IPC namespace of its own: one that has System V shared memory attached
/// does beside its original, and where it had one.
[[nodiscard]] bool needs_own_ipc(const model::Snapshot& snapshot, bool in_place);

/// What System V shared memory of the snapshot could not be made, or would be taken from somebody.
[[nodiscard]] Refusals check_segments(const model::Snapshot& snapshot, bool in_place);

[[nodiscard]] inline bool is_segment(const model::SharedObject& object) {
  return object.kind() == model::SharedObject::SYSV;
}
/// "System V shared memory 12", for messages.
[[nodiscard]] std::string name_of_segment(const model::SharedObject& object);

/// Why the segment of that id in our IPC namespace cannot be used or made; empty when it can.
[[nodiscard]] std::string obstacle_to_segment(const model::SharedObject& object);

/// The System V shared memory that the tree has attached, made with its ids, keys, owners, modes
/// and contents for shmat(2). A segment that is there still, and that nobody has attached, gets its
/// contents back.
class MemorySegments {
 public:
  /// In the IPC namespace of `pid`. Throws, naming the segment.
  MemorySegments(const snapshot::StoredSnapshot& snapshot, int pid);
  MemorySegments(const MemorySegments&) = delete;
  MemorySegments& operator=(const MemorySegments&) = delete;
  /// Unless keep() was called, those that were made are removed.
  ~MemorySegments();

  /// The tree has attached them: those that it had marked for removal are marked again.
  void keep();

 private:
  void make(const model::SharedObject& object);
  void fill(const model::SharedObject& object) const;

  const snapshot::StoredSnapshot& snapshot_;
  int pid_;
  std::vector<int> made_;
};

}  // namespace icecore::replay

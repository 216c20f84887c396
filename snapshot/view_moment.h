// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "gdbstub/target/register_layout.h"
#include "gdbstub/target/thread.h"
#include "snapshot/register_codec.h"
#include "snapshot/stored_snapshot.h"
#include "snapshot/view_sequence.h"

namespace icecore::snapshot {

/// Where a view stands: one snapshot of a sequence, changed by travelling only. The parts of a view
/// all look through one of these.
class ViewMoment {
 public:
  ViewMoment(const SnapshotSequence& sequence, const store::SnapshotKey& key);

  [[nodiscard]] const SnapshotSequence& sequence() const { return sequence_; }
  [[nodiscard]] const StoredSnapshot& snapshot() const { return *snapshot_; }
  [[nodiscard]] const model::Snapshot& model() const { return snapshot_->model(); }
  /// The register set of the machine that the first snapshot was taken on; it is the same for all,
  /// since a client asks for it only once.
  [[nodiscard]] const RegisterCodec& registers() const { return registers_; }

  /// Throw Error naming the snapshot when there is none such in it.
  [[nodiscard]] const model::Process& process(std::int32_t pid) const;
  [[nodiscard]] const model::Thread& thread(gdbstub::ThreadId id) const;
  [[nodiscard]] const model::Thread* find_thread(gdbstub::ThreadId id) const;

  /// All threads that can be looked at, the root process first.
  [[nodiscard]] std::vector<gdbstub::ThreadDescription> threads() const;
  /// `preferred` when it exists here, else the nearest to it: the leader of its process, the root.
  [[nodiscard]] gdbstub::ThreadId nearest_thread(gdbstub::ThreadId preferred) const;

  void move_to(const store::SnapshotKey& key);

 private:
  const SnapshotSequence& sequence_;
  std::shared_ptr<const StoredSnapshot> snapshot_;
  RegisterCodec registers_;
};

/// The program counter of a thread; 0 when its registers are not held.
[[nodiscard]] std::uint64_t program_counter(const model::Thread& thread);

}  // namespace icecore::snapshot

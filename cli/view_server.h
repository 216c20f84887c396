// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/invocation.h"
#include "gdbstub/server.h"
#include "snapshot/stored_snapshot.h"
#include "snapshot/view_sequence.h"
#include "store/store.h"

namespace icecore::cli {

/// The snapshot that a debugger is to look at, as the command line named it.
class ViewedSnapshot {
 public:
  /// Throws Error when there is no such snapshot, or no process `pid` in it (0: the stub chooses).
  ViewedSnapshot(const Invocation& invocation, const std::string& name, std::int32_t pid);

  [[nodiscard]] const store::SnapshotKey& key() const { return key_; }
  /// The snapshot itself; for a view and for a revival.
  [[nodiscard]] std::shared_ptr<const snapshot::StoredSnapshot> open() const {
    return sequence_.open(key_);
  }
  /// The process to show first, 0 for the stub's choice.
  [[nodiscard]] std::int32_t process() const { return pid_; }
  /// Writes the files of the process that is shown first below `root`; see module_files.h.
  [[nodiscard]] std::filesystem::path write_module_files(const std::filesystem::path& root) const;
  /// A view for each client; this object must outlive it.
  [[nodiscard]] gdbstub::TargetFactory targets() const;

 private:
  store::Store store_;
  store::SnapshotKey key_;
  snapshot::RecordingSequence sequence_;
  std::int32_t pid_;
};

}  // namespace icecore::cli

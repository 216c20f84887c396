// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "cli/invocation.h"
#include "gdbstub/server.h"
#include "snapshot/view_sequence.h"
#include "store/store.h"

namespace icecore::cli {

/// The snapshot that a debugger is to look at, as the command line named it.
class ViewedSnapshot {
 public:
  /// Throws Error when there is no such snapshot, or no process `pid` in it (0: the stub chooses).
  ViewedSnapshot(const Invocation& invocation, const std::string& name, std::int32_t pid);

  [[nodiscard]] const store::SnapshotKey& key() const { return key_; }
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

/// Serves a view on a thread of its own, while it lives. The snapshot belongs to that thread then.
class ViewServerThread {
 public:
  ViewServerThread(const ViewedSnapshot& viewed, const gdbstub::Listener& listener);
  ViewServerThread(const ViewServerThread&) = delete;
  ViewServerThread& operator=(const ViewServerThread&) = delete;
  ~ViewServerThread();

  /// Ends serving; returns why it had failed, empty when it had not.
  std::string stop();

 private:
  UniqueFd stop_;  // an eventfd
  std::string failure_;
  std::thread thread_;
};

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "replay/files/file_options.h"
#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

class LateMemory;
class MemoryBank;
class PageSource;

struct RestoreOptions {
  /// The original pids in the current namespaces, instead of new ones beside the original.
  bool in_place = false;
  /// The tree lives on when the restorer ends; else it dies with it.
  bool detach = false;
  /// Every process is left in a job-control stop (SIGSTOP), to be continued with SIGCONT.
  bool stopped = false;
  /// Traced: every thread stays in a ptrace stop of the calling thread, which goes on from there.
  enum class Handover { Released, Traced };
  Handover handover = Handover::Released;
  FileOptions files;
  /// A terminal of ours that becomes the one on which the tree was started; -1 for none. Whoever
  /// calls gives it back its settings and foreground group when the tree has ended.
  int terminal = -1;
  /// What the tree reads at a path of its own instead of the file that is there for everybody: how
  /// a copy of an image is told which one it is. The file must exist. Not in place.
  struct OwnFile {
    std::string path;
    std::string text;
  };
  std::optional<OwnFile> own_file{};
  /// Has the memory of the root; borrowed. Not in place.
  MemoryBank* bank = nullptr;
  /// Has pages that need not be decoded; borrowed.
  const PageSource* pages = nullptr;
  /// Brings memory while the tree runs already; borrowed. Not for a tree that is to be traced,
  /// since a tracer cannot read what is not there yet.
  LateMemory* late = nullptr;
};

/// A process that was handed over traced.
struct TracedLife {
  int pid = 0;  ///< in our PID namespace, as all ids here
  int recorded_pid = 0;
  std::vector<int> tids;
};

/// A tree that lives again.
struct RestoredTree {
  int root_pid = 0;    ///< in our PID namespace
  int init_pid = 0;    ///< of its own PID namespace; 0 in place
  int inner_root = 0;  ///< as the tree itself knows it
  /// {int32 pid, int32 wait status} of children of init; invalid in place, where the root is our
  /// own child.
  UniqueFd reports;
  std::vector<TracedLife> traced;  ///< for Handover::Traced, parents first
  /// What came back other than it was, one line each.
  std::vector<std::string> notes;
};

/// Everything that keeps the snapshot from being restored here and now; looks only.
[[nodiscard]] Refusals check_restore(const snapshot::StoredSnapshot& snapshot,
                                     const RestoreOptions& options);

/// Brings a snapshot back to life, all of it or nothing: when it throws (Refused for what is not
/// supported), no process, mount, namespace or file is left. The calling thread becomes the parent
/// of the tree's init (or, in place, of its root), and must have SIGCHLD at its default or blocked.
[[nodiscard]] RestoredTree restore(const snapshot::StoredSnapshot& snapshot,
                                   const RestoreOptions& options);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <optional>

#include "base/unique_fd.h"
#include "replay/restore/restorer.h"

namespace icecore::cli {

/// Waits in the foreground for a restored tree and passes requests to end on to its root. Make it
/// before the tree: from then on those signals, and SIGCHLD, are blocked.
class RestoredProgram {
 public:
  RestoredProgram();
  RestoredProgram(const RestoredProgram&) = delete;
  RestoredProgram& operator=(const RestoredProgram&) = delete;
  ~RestoredProgram();

  /// What counts as the end of the tree. The root's: then the rest of its PID namespace is killed.
  enum class Until { LastEnds, RootEnds };
  /// The wait status of the tree's root, when the tree (in place: its root) has ended.
  int wait(const replay::RestoredTree& tree, Until until = Until::LastEnds);

 private:
  void take_signal(const replay::RestoredTree& tree);
  void take_reports(const replay::RestoredTree& tree);
  void take_children(const replay::RestoredTree& tree);

  sigset_t original_{};
  UniqueFd signals_;
  std::optional<int> root_status_;
  bool ended_ = false;
};

}  // namespace icecore::cli

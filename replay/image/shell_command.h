// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace icecore::replay {

/// `sh -c COMMAND` beside a tree, with $ICECORE_PID as the tree's root, no descriptors but the
/// standard ones, its stdout our stderr. Killed when it has not ended.
class ShellCommand {
 public:
  ShellCommand(const std::string& command, int root);
  ShellCommand(const ShellCommand&) = delete;
  ShellCommand& operator=(const ShellCommand&) = delete;
  ~ShellCommand();

  /// Its exit status as a shell has it (128 + N for signal N), once it has ended.
  [[nodiscard]] std::optional<int> ended();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
  std::optional<int> status_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::replay {

/// A program on its way to becoming an image: in a session of its own, its standard streams pipes
/// to us, no other descriptors but the one that it is given. What it writes is passed on to ours,
/// and the last lines are kept for whoever asks why it never got ready.
class StartingProgram {
 public:
  struct Options {
    std::vector<std::string> command;      ///< [0] is looked up in PATH
    std::vector<std::string> environment;  ///< "K=V", all of it
    sigset_t mask{};                       ///< the program's signal mask
    /// Becomes descriptor 3 of the program; -1 for none.
    int given = -1;
  };
  /// Throws Error (exit status 126 or 127 as env(1)) when it cannot be executed.
  explicit StartingProgram(const Options& options);
  StartingProgram(const StartingProgram&) = delete;
  StartingProgram& operator=(const StartingProgram&) = delete;
  /// As end().
  ~StartingProgram();

  [[nodiscard]] int pid() const { return pid_; }
  /// Passes output on until `timeout` is over or there was some.
  void pump(std::chrono::milliseconds timeout);
  /// The wait status, once it has ended. Reaps it.
  [[nodiscard]] std::optional<int> ended();
  /// Kills its whole session and all other children of ours, which are orphans of it, and returns
  /// when nothing of the program is left. It has no pid from then on.
  void end();

  /// All that it has written that no take_output() has returned, both streams mixed.
  [[nodiscard]] std::string take_output();
  [[nodiscard]] std::string last_lines() const;

 private:
  void pass_on(UniqueFd& from, int to);

  int pid_ = -1;
  std::optional<int> status_;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd errors_;
  std::string fresh_;
  std::string tail_;
};

}  // namespace icecore::replay

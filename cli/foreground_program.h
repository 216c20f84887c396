// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::cli {

/// Runs a program that owns the terminal while we wait behind it. From its construction on, signals
/// of the keyboard are left to the program and a request to end is passed on to it, so that whoever
/// waits can clean up after it. Make it before any other thread.
class ForegroundProgram {
 public:
  ForegroundProgram();
  ForegroundProgram(const ForegroundProgram&) = delete;
  ForegroundProgram& operator=(const ForegroundProgram&) = delete;
  ~ForegroundProgram();

  /// Returns its exit status as a shell has it: 128 + N when signal N has killed it.
  int run(const std::vector<std::string>& command);

 private:
  [[nodiscard]] int wait(pid_t pid) const;
  sigset_t original_{};
  UniqueFd signals_;
};

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::snapshot {

/// How a program is to be started.
struct ProgramStart {
  enum class AddressSpace { Inherited, Fixed };  ///< Fixed: without randomization
  enum class Group { Inherited, Own };           ///< Own: a process group, with the terminal
  enum class Streams { Inherited, Apart };       ///< Apart: nothing to read, output on stderr

  std::vector<std::string> arguments;  ///< the first is looked up in PATH
  /// NAME=VALUE; ours when it is empty.
  std::vector<std::string> environment;
  std::string working_directory;  ///< ours when it is empty
  AddressSpace address_space = AddressSpace::Inherited;
  Group group = Group::Inherited;
  Streams streams = Streams::Inherited;
  sigset_t mask{};  ///< the program's signal mask
};

/// A child that has been forked but has not executed its program yet: it waits to be let go, so
/// that a tracer can seize it first. It inherits the terminal and the descriptors.
class LaunchedProgram {
 public:
  /// `arguments[0]` is looked up in PATH; `mask` is the program's signal mask.
  LaunchedProgram(const std::vector<std::string>& arguments, const sigset_t& mask);
  explicit LaunchedProgram(const ProgramStart& start);
  LaunchedProgram(const LaunchedProgram&) = delete;
  LaunchedProgram& operator=(const LaunchedProgram&) = delete;
  /// A child that was never let go is killed and reaped.
  ~LaunchedProgram();

  [[nodiscard]] int pid() const { return pid_; }
  /// Lets it execute the program. Returns 0, or the errno of the exec that failed; the child is
  /// then about to exit. The answer comes when the exec is done: a seized child must be resumed
  /// meanwhile, so poll answer_descriptor() and call exec_errno() then.
  void let_go();
  [[nodiscard]] int answer_descriptor() const { return answer_.get(); }
  [[nodiscard]] int exec_errno();

 private:
  int pid_ = -1;
  bool gone_ = false;
  UniqueFd go_;
  UniqueFd answer_;
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gdbstub/target/stop_reason.h"

namespace icecore::gdbstub {

/// How a client wants a program to be started.
struct LaunchRequest {
  enum class AddressSpace { Fixed, Randomized };
  enum class Startup { Direct, WithShell };

  /// A path, or a name to be looked up in PATH; empty for the program of the launch before.
  std::string program;
  std::vector<std::string> arguments;  ///< without the program itself
  /// Changes to the server's own environment, in this order: names to drop, then "NAME=VALUE".
  std::vector<std::string> unset;
  std::vector<std::string> set;
  std::string working_directory;  ///< empty for the server's own
  AddressSpace address_space = AddressSpace::Fixed;
  Startup startup = Startup::Direct;
};

/// Starting programs while connected (`target extended-remote`, then `run`).
class Launching {
 public:
  virtual ~Launching() = default;
  /// Returns with the new process stopped before its first instruction, after all executions that a
  /// shell or a wrapper makes on the way. Throws Error when it cannot be started.
  virtual StopEvent launch(const LaunchRequest& request) = 0;
};

}  // namespace icecore::gdbstub

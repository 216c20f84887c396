// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gdbstub/connection.h"
#include "gdbstub/listener.h"
#include "gdbstub/session_state.h"
#include "gdbstub/target/target.h"

namespace icecore::gdbstub {

struct ServeOptions {
  enum class Lifetime {
    OneClient,   ///< until the first client is gone
    UntilAsked,  ///< one client after another, until `monitor exit` or stop_descriptor
  };
  Lifetime lifetime = Lifetime::OneClient;
  /// Serving ends when this becomes readable; -1 for never.
  int stop_descriptor = -1;
  /// A second client came while one is attached and was closed at once; the text says so in a line.
  std::function<void(const std::string& line)> on_refused;
  /// How a client went, in a line.
  std::function<void(const std::string& line)> on_gone;
};

/// Makes the target that a new client gets.
using TargetFactory = std::function<std::unique_ptr<Target>()>;

/// Serves clients, one at a time, on this thread. Returns when the options say so.
void serve(const Listener& listener, const TargetFactory& make_target, const ServeOptions& options);
/// Serves the one client behind `connection`.
void serve(const Connection& connection, Target& target, const ServeOptions& options);

}  // namespace icecore::gdbstub

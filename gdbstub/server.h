// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gdbstub/connection.h"
#include "gdbstub/listener.h"
#include "gdbstub/session_news.h"
#include "gdbstub/target/target.h"

namespace icecore::gdbstub {

struct ServeOptions {
  enum class Lifetime {
    OneClient,       ///< until the first client is gone
    UntilAsked,      ///< one client after another, until `monitor exit` or stop_descriptor
    WhileProcesses,  ///< the same, or until a client goes when no process is left, unless it had
                     ///< come to start processes itself (`target extended-remote`)
  };
  Lifetime lifetime = Lifetime::OneClient;
  /// Serving ends when this becomes readable; -1 for never.
  int stop_descriptor = -1;
  /// A second client came while one is attached and was closed at once; the text says so in a line.
  std::function<void(const std::string& line)> on_refused;
  /// How a client went, in a line.
  std::function<void(const std::string& line)> on_gone;
  /// A client has come; `peer` is "127.0.0.1, port 41234", empty for a unix socket.
  std::function<void(const std::string& peer)> on_client;
  /// It has gone, and the next one is waited for.
  std::function<void()> on_waiting_again;
  NewsSink on_news;
};

/// Gives the target for a new client: a fresh one, or the same to one client after another.
using TargetFactory = std::function<std::shared_ptr<Target>()>;

/// Serves clients, one at a time, on this thread. Returns when the options say so.
void serve(const Listener& listener, const TargetFactory& make_target, const ServeOptions& options);
/// Serves the one client behind `connection`.
void serve(const Connection& connection, Target& target, const ServeOptions& options);

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace icecore::gdbstub {

/// What becomes of a process in the course of a session, for the log of whoever serves it.
struct SessionNews {
  enum class Kind { Launched, Attached, Detached, Killed, Exited, KilledBySignal };
  Kind kind = Kind::Launched;
  std::int32_t pid = 0;
  /// Exited: the status; KilledBySignal: the Linux number.
  int value = 0;
  /// Launched: as the client named it, empty for the one that ran before.
  std::string program = {};
};
using NewsSink = std::function<void(const SessionNews&)>;

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

class Target;

/// What a client wants to know before it is told of a breakpoint: the condition of the breakpoint,
/// and what is to be printed there. The packet side makes it; whoever drives the threads asks it,
/// which spares two packets and two stops for each hit that does not count.
class StopCondition {
 public:
  virtual ~StopCondition() = default;
  /// To be asked when `thread` stands at the breakpoint (its pc at the address, not behind it) and
  /// its registers and memory can be read. Never throws: what cannot be evaluated is a stop.
  [[nodiscard]] virtual bool asks_for_stop(Target& target, ThreadId thread) const = 0;
};

}  // namespace icecore::gdbstub

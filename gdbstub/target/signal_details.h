// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// The siginfo_t (128 bytes) of the signal that a thread stopped for.
class SignalDetails {
 public:
  virtual ~SignalDetails() = default;
  /// Throws Error when there is none.
  virtual std::vector<std::byte> siginfo(ThreadId thread) = 0;
};

}  // namespace icecore::gdbstub

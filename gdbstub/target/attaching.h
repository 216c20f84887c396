// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gdbstub/target/stop_reason.h"

namespace icecore::gdbstub {

/// Choosing processes to debug while connected (`target extended-remote`, then `attach`).
class Attaching {
 public:
  virtual ~Attaching() = default;
  /// Throws Error when there is no such process.
  virtual StopEvent attach(std::int32_t pid) = 0;
};

}  // namespace icecore::gdbstub

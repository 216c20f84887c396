// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"

namespace icecore::cli {

/// SIGINT, SIGTERM and SIGHUP as a descriptor that becomes readable, so that serving ends cleanly.
/// Make it before any other thread.
class EndSignals {
 public:
  EndSignals();
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// As a shell has it: 128 + N after signal N, 0 when none came.
  [[nodiscard]] int exit_status() const;

 private:
  UniqueFd descriptor_;
};

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"

namespace icecore::replay {

/// While it lives, the calling thread is in a network namespace of its own that reaches nobody: it
/// has a loopback device only. Whatever the thread starts meanwhile stays in it. Addresses of the
/// machine can be bound there although no device has them.
class OwnNetwork {
 public:
  /// Throws Error when that is not permitted.
  OwnNetwork();
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;
  /// Back to where the thread was.
  ~OwnNetwork();

 private:
  UniqueFd before_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"

namespace icecore::snapshot {

/// Duplicates descriptors of one process into this one (pidfd_getfd), to ask their objects what
/// /proc does not tell. The duplicate shares the description: only calls that change nothing may be
/// made on it. Works on a frozen process.
class DescriptorLender {
 public:
  explicit DescriptorLender(int pid);

  /// Not valid when the process or descriptor is gone, or the kernel (before 5.6) or a policy
  /// denies it.
  [[nodiscard]] UniqueFd borrow(int fd) const;

 private:
  UniqueFd pidfd_;
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace icecore::replay {

/// While it lives, the calling thread has another host name than the machine, in a UTS namespace of
/// its own. Whatever the thread starts meanwhile stays in it.
class OwnHostName {
 public:
  /// Throws Error when the kernel does not take the name.
  explicit OwnHostName(const std::string& name);
  OwnHostName(const OwnHostName&) = delete;
  OwnHostName& operator=(const OwnHostName&) = delete;
  /// Back to where the thread was.
  ~OwnHostName();

 private:
  UniqueFd before_;
};

}  // namespace icecore::replay

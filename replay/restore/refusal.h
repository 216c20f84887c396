// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace icecore::replay {

/// One thing that keeps a snapshot from being restored. All of them are found before anything is
/// made, and told together.
struct Refusal {
  int pid = 0;         ///< as the recording shows it
  std::string object;  ///< "fd 7 (/tmp/log)", "mapping 7f00-7f10 (/usr/lib/x.so)"
  std::string reason;  ///< "the file has changed since"
  std::string hint;    ///< what would make it possible; may be empty
  /// The process that has what is wanted, in our PID namespace: once it has ended the refusal may
  /// be none any more. 0 when there is none or it is not known.
  int holder = 0;
};

using Refusals = std::vector<Refusal>;

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// Commands of the target's own, typed as `monitor ...`. share/icecore.py builds on some: `list`
/// has one moment per line, its number first and '*' before the present one; `when` begins with the
/// moment's name, which becomes the prompt; what `goto` and `back-to` prepare and the next resume
/// does is said in a line with "the next continue".
class Monitor {
 public:
  virtual ~Monitor() = default;
  /// Returns what to print, with newlines. Throws Error for a command that cannot be done.
  virtual std::string run(std::string_view line, ThreadId current) = 0;
};

}  // namespace icecore::gdbstub

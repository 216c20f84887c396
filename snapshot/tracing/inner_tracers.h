// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <utility>

namespace icecore::snapshot {

/// Tells which programs could trace processes of their own (debuggers, strace): a process has one
/// tracer at most, so that the children of such a program must be left to it.
class InnerTracers {
 public:
  /// Whether the executable of `pid` has the name ptrace among its symbols. Looked up once per
  /// executable; false when it cannot be read.
  bool can_trace(int pid);

 private:
  std::map<std::pair<dev_t, ino_t>, bool> known_;
};

}  // namespace icecore::snapshot

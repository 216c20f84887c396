// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"

namespace icecore::cli::doctor {

/// A process of ours to be probed: it waits until it is killed, which the destructor does.
class ProbeChild {
 public:
  ProbeChild();
  ProbeChild(const ProbeChild&) = delete;
  ProbeChild& operator=(const ProbeChild&) = delete;
  ~ProbeChild();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
};

/// The same, but no descendant of ours: its parent has exited. Ends when the object goes.
class ProbeOrphan {
 public:
  ProbeOrphan();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
  UniqueFd lifeline_;  ///< it waits for the end of this pipe
};

/// Runs `body` in a forked child and returns its exit status (an errno, 0 for done). For probes
/// that change the process that makes them.
int run_in_child(int (*body)());

}  // namespace icecore::cli::doctor

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

namespace icecore {

/// While it lives, the calling thread may change a terminal of which it is in the background:
/// without, that stops it by SIGTTOU (drivers/tty/tty_jobctrl.c). Safe
/// between fork and exec.
class BackgroundTerminalUse {
 public:
  BackgroundTerminalUse() {
    sigset_t output;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &output, &before_);
  }
  BackgroundTerminalUse(const BackgroundTerminalUse&) = delete;
  BackgroundTerminalUse& operator=(const BackgroundTerminalUse&) = delete;
  ~BackgroundTerminalUse() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace icecore

// SPDX-License-Identifier: Apache-2.0
#include "cli/program_status.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace icecore::cli {

int pass_on(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  // No core of ours beside the program's.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  return 128 + signal;
}

}  // namespace icecore::cli

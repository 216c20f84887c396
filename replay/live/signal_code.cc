// SPDX-License-Identifier: Apache-2.0
#include "replay/live/signal_code.h"

#include <signal.h>

#include <cstddef>
#include <cstring>

#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

int signal_code(int tid) {
  const auto siginfo = snapshot::ptrace_call::siginfo(tid);
  int code = 0;
  if (siginfo) std::memcpy(&code, siginfo->data() + offsetof(siginfo_t, si_code), sizeof code);
  return code;
}

}  // namespace icecore::replay

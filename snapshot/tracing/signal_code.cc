// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/signal_code.h"

#include <signal.h>

#include <cstddef>
#include <cstring>

namespace icecore::snapshot {

int signal_code(const std::optional<SiginfoBytes>& siginfo) {
  int code = 0;
  if (siginfo) std::memcpy(&code, siginfo->data() + offsetof(siginfo_t, si_code), sizeof code);
  return code;
}

}  // namespace icecore::snapshot

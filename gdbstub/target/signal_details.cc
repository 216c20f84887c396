// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/signal_details.h"

#include "base/error.h"

namespace icecore::gdbstub {

void SignalDetails::write_siginfo(ThreadId, std::span<const std::byte>) {
  throw Error("the siginfo of this target is read-only");
}

}  // namespace icecore::gdbstub

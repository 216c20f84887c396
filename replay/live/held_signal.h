// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "replay/live/live_process.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

/// A signal that was about to be delivered, with all that the program would learn of it.
struct HeldSignal {
  int number = 0;
  snapshot::SiginfoBytes siginfo;
};

/// Takes it out of the stop in which the thread is, which cannot deliver it any more once the
/// thread has made a call for us. nullopt when there is none.
std::optional<HeldSignal> take_signal(LiveThread& thread);

/// Queues it anew.
void send_again(LiveThread& thread, HeldSignal signal);

/// The thread is stopped by a signal. Whether we have sent it; it is then what it was.
bool take_sent_signal(LiveThread& thread, int signal);

}  // namespace icecore::replay

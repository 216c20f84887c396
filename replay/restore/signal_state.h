// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Signal actions of the process; whatever is pending from the making of it is thrown away.
void set_signal_actions(const RestoredProcess& process, CallBatch& batch);

/// The action of SIGTRAP, which our own stops would take away: after the last batch of calls, by
/// the `syscall` instruction at `instruction`. Needs 64 bytes that stay mapped at `memory`.
void set_trap_action(RestoredProcess& process, int tid, std::uint64_t instruction,
                     std::uint64_t memory);

/// Puts the saved signals into the queues of the process and of its threads, in their order. All
/// signals must be blocked.
void queue_signals(RestoredProcess& process);

}  // namespace icecore::replay

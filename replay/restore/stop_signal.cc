// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/stop_signal.h"

#include <signal.h>

#include <algorithm>
#include <cstdint>

#include "replay/restore/restored_process.h"

namespace icecore::replay {
namespace {

/// The kernel drops stops of job control in a group that nobody of its session looks after
/// (is_orphaned_pgrp in kernel/exit.c).
bool is_looked_after(const model::Snapshot& snapshot, const model::Process& process) {
  return std::ranges::any_of(snapshot.processes(), [&](const model::Process& member) {
    if (inner_group(member) != inner_group(process)) return false;
    const auto parent =
        std::ranges::find(snapshot.processes(), member.parent_pid(), &model::Process::pid);
    return parent != snapshot.processes().end() && parent->state() != model::Process::ZOMBIE &&
           inner_session(*parent) == inner_session(member) &&
           inner_group(*parent) != inner_group(member);
  });
}

bool has_default_action(const model::Process& process, int signal) {
  const auto action = std::ranges::find(process.actions(), signal, &model::SignalAction::signal);
  return action == process.actions().end() || action->handler() == 0;
}

bool is_taken(const model::Process& process, int signal) {
  const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(signal - 1);
  return std::ranges::any_of(process.threads(), [bit](const model::Thread& thread) {
    return !thread.registers().empty() && (thread.signal_mask() & bit) == 0;
  });
}

}  // namespace

int stop_signal(const model::Snapshot& snapshot, const model::Process& process) {
  if (process.state() != model::Process::STOPPED) return 0;
  const int signal = process.group_stop_signal();
  const bool again = signal > 0 && has_default_action(process, signal) &&
                     is_taken(process, signal) && is_looked_after(snapshot, process);
  return again ? signal : SIGSTOP;
}

}  // namespace icecore::replay

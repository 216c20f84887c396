// SPDX-License-Identifier: Apache-2.0
#include "replay/live/held_signal.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "snapshot/tracing/signal_code.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

std::optional<HeldSignal> take_signal(LiveThread& thread) {
  const bool in_stop = std::exchange(thread.in_signal_stop, false);
  const int number = std::exchange(thread.signal, 0);
  if (number == 0) return std::nullopt;
  // Of another stop it is what the client has chosen.
  const auto siginfo = in_stop ? ptrace_call::siginfo(thread.id.tid) : std::nullopt;
  return HeldSignal{number, siginfo.value_or(snapshot::SiginfoBytes{})};
}

void send_again(LiveThread& thread, HeldSignal signal) {
  if (::syscall(SYS_tgkill, thread.id.pid, thread.id.tid, signal.number) != 0) return;
  thread.injected.emplace(signal.number, std::move(signal.siginfo));
}

bool take_sent_signal(LiveThread& thread, int signal) {
  const auto sent = thread.injected.find(signal);
  if (sent == thread.injected.end()) return false;
  // One that stopped the thread just before ours was sent is another: ours is still to come.
  const auto now = ptrace_call::siginfo(thread.id.tid);
  if (snapshot::signal_code(now) != SI_TKILL) return false;
  if (!sent->second.empty()) ptrace_call::set_siginfo(thread.id.tid, sent->second);
  thread.injected.erase(sent);
  return true;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/put_off_signal.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "snapshot/tracing/signal_code.h"

namespace icecore::replay {
namespace {

/// What a client that waits for a signal of its timer would hardly notice.
constexpr std::chrono::milliseconds kLongest{100};

/// setitimer(2) and alarm(2) send by the kernel itself, timer_create(2) by SI_TIMER.
bool is_of_timer(int signal, const snapshot::SiginfoBytes& siginfo) {
  const int code = snapshot::signal_code(siginfo);
  const bool interval = signal == SIGALRM || signal == SIGVTALRM || signal == SIGPROF;
  return (interval && code == SI_KERNEL) || (code == SI_TIMER && signal < SIGRTMIN);
}

}  // namespace

void PutOffSignal::cost_since(Clock::time_point start) {
  const auto now = Clock::now();
  due_ = now + std::min<Clock::duration>(now - start, kLongest);
}

bool PutOffSignal::puts_off(const LiveThread& thread, int signal) {
  if (held_) return held_->number == signal;
  if (Clock::now() >= due_) return false;
  auto siginfo = snapshot::ptrace_call::siginfo(thread.id.tid);
  if (!siginfo || !is_of_timer(signal, *siginfo)) return false;
  held_ = HeldSignal{signal, *std::move(siginfo)};
  set_alarm();
  return true;
}

void PutOffSignal::set_alarm() {
  // The steady clock is CLOCK_MONOTONIC.
  alarm_ = std::make_unique<snapshot::TracerAlarm>(
      std::chrono::nanoseconds(due_.time_since_epoch()).count());
}

void PutOffSignal::send_if_due(LiveThread& thread) {
  if (!held_) return;
  Clock::now() >= due_ ? send(thread) : set_alarm();
}

void PutOffSignal::send(LiveThread& thread) {
  if (held_) send_again(thread, *std::exchange(held_, std::nullopt));
  alarm_.reset();
}

void PutOffSignal::drop() {
  held_.reset();
  alarm_.reset();
}

}  // namespace icecore::replay

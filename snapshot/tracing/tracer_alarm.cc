// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/tracer_alarm.h"

#include <signal.h>

#include "base/error.h"

namespace icecore::snapshot {

TracerAlarm::TracerAlarm(std::int64_t moment_ns) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGCHLD;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) throw_errno("timer_create");
  itimerspec timer{};
  timer.it_value = {moment_ns / 1'000'000'000, moment_ns % 1'000'000'000};
  // A moment that has passed fires at once.
  ::timer_settime(timer_, TIMER_ABSTIME, &timer, nullptr);
}

TracerAlarm::~TracerAlarm() { ::timer_delete(timer_); }

}  // namespace icecore::snapshot

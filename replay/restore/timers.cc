// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/timers.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <charconv>
#include <string_view>

#include "base/error.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kRestoreIds = 77;  // PR_TIMER_CREATE_RESTORE_IDS, since Linux 6.15

struct KernelSigevent {
  std::uint64_t value;
  std::int32_t signal;
  std::int32_t notify;
  std::int32_t tid;
  std::int32_t pad[11];
};
static_assert(sizeof(KernelSigevent) == 64);

timeval micro(std::uint64_t us) {
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

timespec nano(std::uint64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

/// "signal/pid.12", "none/tid.13", as /proc/PID/timers has it.
KernelSigevent event_of(const model::PosixTimer& timer, const model::Process& process) {
  KernelSigevent event{};
  event.value = timer.value_pointer();
  event.signal = timer.signal();
  const std::string_view text = timer.notify();
  event.notify = text.starts_with("none") ? SIGEV_NONE : SIGEV_SIGNAL;
  const auto at = text.find("/tid.");
  if (at == std::string_view::npos) return event;
  int tid = 0;
  std::from_chars(text.data() + at + 5, text.data() + text.size(), tid);
  event.notify |= SIGEV_THREAD_ID;
  // The kernel shows it as the reader's namespace has it.
  event.tid = tid;
  for (const auto& thread : process.threads()) {
    if (thread.tid() == tid) event.tid = inner_tid(thread);
  }
  return event;
}

}  // namespace

void set_timers(RestoredProcess& process) {
  const auto& known = *process.model;
  if (known.interval_timers().empty() && known.posix_timers().empty()) return;
  CallBatch batch(process.puppet, process.puppet.pid());
  for (const auto& timer : known.interval_timers()) {
    const auto value =
        batch.put_struct(itimerval{micro(timer.interval_us()), micro(timer.value_us())});
    batch.add(SYS_setitimer, {static_cast<std::uint64_t>(timer.which()), value, 0}, "setitimer");
  }
  if (!known.posix_timers().empty()) {
    batch.add(SYS_prctl, {kRestoreIds, 1}, "timers with ids of our choice");
    for (const auto& timer : known.posix_timers()) {
      const std::string what = "POSIX timer " + std::to_string(timer.id());
      const auto event = batch.put_struct(event_of(timer, known));
      const auto id = batch.put_struct(timer.id());
      batch.add(SYS_timer_create, {static_cast<std::uint64_t>(timer.clock()), event, id}, what);
      const auto value =
          batch.put_struct(itimerspec{nano(timer.interval_ns()), nano(timer.remaining_ns())});
      batch.add(SYS_timer_settime, {static_cast<std::uint64_t>(timer.id()), 0, value, 0}, what);
    }
    batch.add(SYS_prctl, {kRestoreIds, 0}, "timers with ids of the kernel's choice");
  }
  batch.run();
}

}  // namespace icecore::replay

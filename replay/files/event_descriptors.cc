// SPDX-License-Identifier: Apache-2.0
// eventfd, signalfd and timerfd: the kernel's lines in fdinfo are all of their state.
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "replay/files/kernel_lines.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"

namespace icecore::replay {
namespace {

timespec to_timespec(std::int64_t ns) { return {ns / kNsPerSecond, ns % kNsPerSecond}; }

bool is_realtime(int clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM; }

// TFD_IOC_SET_TICKS, which <linux/timerfd.h> has beside clashing names of <fcntl.h>.
constexpr unsigned long kSetTicks = _IOW('T', 0, std::uint64_t);

}  // namespace

void make_eventfd(Making& making, const model::OpenFile& file) {
  const std::uint64_t count = hex_line(file, "eventfd-count");
  const int flags = EFD_CLOEXEC | (hex_line(file, "eventfd-semaphore") != 0 ? EFD_SEMAPHORE : 0);
  UniqueFd fd(::eventfd(0, flags | EFD_NONBLOCK));
  if (!fd.valid()) throw_errno("eventfd");
  if (count != 0 && ::write(fd.get(), &count, sizeof count) != sizeof count) {
    throw_errno("set its count");
  }
  set_status_flags(fd.get(), file);
  making.made.emplace(file.id(), std::move(fd));
}

void make_signalfd(Making& making, const model::OpenFile& file) {
  const std::uint64_t mask = hex_line(file, "sigmask");
  // Not signalfd(3), which takes the C library's longer set.
  UniqueFd fd(static_cast<int>(::syscall(SYS_signalfd4, -1, &mask, sizeof mask, O_CLOEXEC)));
  if (!fd.valid()) throw_errno("signalfd");
  set_status_flags(fd.get(), file);
  making.made.emplace(file.id(), std::move(fd));
}

void make_timerfd(Making& making, const model::OpenFile& file) {
  const auto clock = static_cast<int>(decimal_line(file, "clockid"));
  const std::uint64_t ticks = decimal_line(file, "ticks");
  auto flags = static_cast<int>(octal_line(file, "settime flags"));
  std::int64_t value = time_pair_line(file, "it_value");
  const std::int64_t interval = time_pair_line(file, "it_interval");
  UniqueFd fd(::timerfd_create(clock, TFD_CLOEXEC));
  if (!fd.valid()) throw_errno("timerfd_create");
  // The value is what remained. Of an absolute time on the wall clock the moment stays; the other
  // clocks go on in the tree's time namespace where they were, so what remains does.
  const bool armed = value > 0;
  if ((flags & TFD_TIMER_ABSTIME) != 0) {
    const std::int64_t then = making.snapshot.model().clocks().realtime_ns();
    value += is_realtime(clock) ? then : clock_ns(clock);
  }
  itimerspec setting{to_timespec(interval), to_timespec(armed ? value : 0)};
  if (::timerfd_settime(fd.get(), flags, &setting, nullptr) != 0) throw_errno("timerfd_settime");
  if (ticks != 0 && ::ioctl(fd.get(), kSetTicks, &ticks) != 0) throw_errno("set its ticks");
  set_status_flags(fd.get(), file);
  making.made.emplace(file.id(), std::move(fd));
}

}  // namespace icecore::replay

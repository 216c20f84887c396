// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/time_left.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/clock.h"
#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/syscall_restart.h"

namespace icecore::snapshot {

std::optional<TimeLeft> TimeLeft::find(const user_regs_struct& registers) {
  if (static_cast<long>(registers.rax) != -kErestartNoHand) return std::nullopt;
  switch (static_cast<long>(registers.orig_rax)) {
    case SYS_select:
      if (registers.r8 == 0) return std::nullopt;
      return TimeLeft(Form::Timeval, registers.r8, monotonic_ns());
    case SYS_pselect6:
      if (registers.r8 == 0) return std::nullopt;
      return TimeLeft(Form::Timespec, registers.r8, monotonic_ns());
    case SYS_ppoll:
      if (registers.rdx == 0) return std::nullopt;
      return TimeLeft(Form::Timespec, registers.rdx, monotonic_ns());
    default:
      return std::nullopt;
  }
}

void TimeLeft::count_stop(int pid) const {
  // Seconds, and micro- or nanoseconds.
  std::array<std::int64_t, 2> time{};
  if (!read_process(pid, address_, std::as_writable_bytes(std::span(time)))) return;
  const std::int64_t unit_ns = form_ == Form::Timeval ? 1000 : 1;
  const std::int64_t longest_s = std::int64_t{1} << 32;  // what is longer than that does not matter
  if (time[0] < 0 || time[0] > longest_s || time[1] < 0) return;
  std::int64_t left = time[0] * kNsPerSecond + time[1] * unit_ns;
  left = std::max<std::int64_t>(left - (monotonic_ns() - stopped_ns_), 0);
  left = (left + unit_ns - 1) / unit_ns * unit_ns;  // late rather than early
  time = {left / kNsPerSecond, left % kNsPerSecond / unit_ns};
  write_process(pid, address_, std::as_bytes(std::span(time)));
}

}  // namespace icecore::snapshot

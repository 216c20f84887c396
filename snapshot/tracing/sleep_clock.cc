// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/sleep_clock.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "snapshot/tracing/affinity.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

/// The number behind the line that begins with `name`; nullptr when there is none.
const char* value_of(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  if (at == std::string::npos) return nullptr;
  const auto digits = text.find_first_of("0123456789", at + name.size());
  return digits == std::string::npos ? nullptr : &text[digits];
}

/// se.exec_start: milliseconds with six decimals.
std::optional<std::int64_t> last_ran_ns(const std::string& sched) {
  const char* value = value_of(sched, "se.exec_start");
  if (value == nullptr) return std::nullopt;
  char* end = nullptr;
  const std::int64_t milliseconds = std::strtoll(value, &end, 10);
  const std::int64_t rest = *end == '.' ? std::strtoll(end + 1, nullptr, 10) : 0;
  return milliseconds * 1'000'000 + rest;
}

/// Of /proc/PID/task/TID/status.
std::optional<std::uint64_t> switches_in(const std::string& status) {
  const char* value = value_of(status, "\nvoluntary_ctxt_switches:");
  if (value == nullptr) return std::nullopt;
  return std::strtoull(value, nullptr, 10);
}

bool is_asleep(const std::string& status) {
  return status.find("\nState:\tS") != std::string::npos ||
         status.find("\nState:\tD") != std::string::npos;
}

}  // namespace

std::optional<std::int64_t> SleepClock::offset_of(int cpu) {
  const auto known = offsets_.find(cpu);
  if (known != offsets_.end()) return known->second;
  const AffinityScope affinity;
  move_to_cpu(cpu);
  // Running again sets our own exec_start to the CPU's clock. Read before CLOCK_MONOTONIC, so that
  // the difference is too great rather than too small; the least of a few is the one that nothing
  // came between.
  constexpr int kTries = 3;
  std::optional<std::int64_t> least;
  for (int i = 0; i < kTries; ++i) {
    const timespec moment{0, 1000};
    ::nanosleep(&moment, nullptr);
    const auto ran = last_ran_ns(task_file(::getpid(), ::gettid(), "sched"));
    const std::int64_t now = monotonic_ns();
    if (!ran || ::sched_getcpu() != cpu) return std::nullopt;
    least = std::min(least.value_or(now - *ran), now - *ran);
  }
  return offsets_[cpu] = *least;
}

std::optional<SleepClock::Sleep> SleepClock::sleep_of(int pid, int tid) {
  const auto switches = voluntary_switches(pid, tid);
  const auto ran = last_ran_ns(task_file(pid, tid, "sched"));
  const int cpu = last_cpu(pid, tid);
  // A thread that was waking up, or ran in between, may have been moved to another CPU: then the
  // time is of one clock and the CPU of another, and the sum is off by seconds either way. One
  // that sleeps now and has not gone to sleep since the first look has slept all the while.
  const std::string after = task_file(pid, tid, "status");
  if (!switches || !ran || !is_asleep(after) || switches_in(after) != switches) return std::nullopt;
  const auto offset = offset_of(cpu);
  if (!offset) return std::nullopt;
  return Sleep{*ran + *offset, *switches};
}

std::optional<std::uint64_t> SleepClock::voluntary_switches(int pid, int tid) {
  return switches_in(task_file(pid, tid, "status"));
}

}  // namespace icecore::snapshot

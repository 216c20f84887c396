// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/process_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

// fs/proc/base.c: the names of /proc/PID/limits.
struct NamedLimit {
  std::string_view name;
  __rlimit_resource resource;
};
constexpr std::array kLimits = {
    NamedLimit{"Max cpu time", RLIMIT_CPU},
    NamedLimit{"Max file size", RLIMIT_FSIZE},
    NamedLimit{"Max data size", RLIMIT_DATA},
    NamedLimit{"Max stack size", RLIMIT_STACK},
    NamedLimit{"Max core file size", RLIMIT_CORE},
    NamedLimit{"Max resident set", RLIMIT_RSS},
    NamedLimit{"Max processes", RLIMIT_NPROC},
    NamedLimit{"Max open files", RLIMIT_NOFILE},
    NamedLimit{"Max locked memory", RLIMIT_MEMLOCK},
    NamedLimit{"Max address space", RLIMIT_AS},
    NamedLimit{"Max file locks", RLIMIT_LOCKS},
    NamedLimit{"Max pending signals", RLIMIT_SIGPENDING},
    NamedLimit{"Max msgqueue size", RLIMIT_MSGQUEUE},
    NamedLimit{"Max nice priority", RLIMIT_NICE},
    NamedLimit{"Max realtime priority", RLIMIT_RTPRIO},
    NamedLimit{"Max realtime timeout", RLIMIT_RTTIME},
};

void set_limits(const RestoredProcess& process, std::vector<std::string>& notes) {
  for (const auto& limit : process.model->limits()) {
    const auto known = std::ranges::find(kLimits, limit.name(), &NamedLimit::name);
    if (known == kLimits.end()) continue;
    const rlimit wanted{limit.soft(), limit.hard()};
    rlimit now{};
    if (::prlimit(process.puppet.pid(), known->resource, nullptr, &now) == 0 &&
        now.rlim_cur == wanted.rlim_cur && now.rlim_max == wanted.rlim_max) {
      continue;
    }
    if (::prlimit(process.puppet.pid(), known->resource, &wanted, nullptr) != 0) {
      notes.push_back(name_of(*process.model) + ": " + limit.name() + ": " + ::strerror(errno));
    }
  }
}

/// "0-3,7", as Cpus_allowed_list.
cpu_set_t parse_cpus(std::string_view text) {
  cpu_set_t set;
  CPU_ZERO(&set);
  while (!text.empty()) {
    unsigned first = 0;
    auto end = std::from_chars(text.data(), text.data() + text.size(), first);
    unsigned last = first;
    if (end.ptr < text.data() + text.size() && *end.ptr == '-') {
      end = std::from_chars(end.ptr + 1, text.data() + text.size(), last);
    }
    for (unsigned cpu = first; cpu <= last && cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &set);
    text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
    if (text.empty() || text.front() != ',') break;
    text.remove_prefix(1);
  }
  return set;
}

void set_scheduling(const model::Thread& thread, int tid, std::vector<std::string>& notes) {
  const std::string what = "thread " + std::to_string(inner_tid(thread)) + ": ";
  constexpr int kWhoThread = 1;  // IOPRIO_WHO_PROCESS: one thread, in spite of its name
  const cpu_set_t cpus = parse_cpus(thread.cpus_allowed());
  if (CPU_COUNT(&cpus) > 0 && ::sched_setaffinity(tid, sizeof cpus, &cpus) != 0) {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
    ::sched_setaffinity(tid, sizeof all, &all);
    notes.push_back(what + "this machine does not have its CPUs " + thread.cpus_allowed());
  }
  if (thread.scheduler_policy() != SCHED_OTHER || thread.scheduler_priority() != 0) {
    const sched_param parameters{static_cast<int>(thread.scheduler_priority())};
    if (::sched_setscheduler(tid, thread.scheduler_policy(), &parameters) != 0) {
      notes.push_back(what + "scheduling policy: " + ::strerror(errno));
    }
  }
  if (::getpriority(PRIO_PROCESS, static_cast<id_t>(tid)) != thread.nice() &&
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(tid), thread.nice()) != 0) {
    notes.push_back(what + "nice: " + ::strerror(errno));
  }
  if (thread.io_priority() != 0 &&
      ::syscall(SYS_ioprio_get, kWhoThread, tid) != thread.io_priority() &&
      ::syscall(SYS_ioprio_set, kWhoThread, tid, thread.io_priority()) != 0) {
    notes.push_back(what + "I/O priority: " + ::strerror(errno));
  }
}

bool write_text(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), text.data(), text.size()) >= 0;
}

}  // namespace

void set_attributes(const RestoredProcess& process, std::vector<std::string>& notes) {
  const auto& known = *process.model;
  const std::string directory = "/proc/" + std::to_string(process.puppet.pid()) + "/";
  if (known.oom_score_adj() != 0 &&
      !write_text(directory + "oom_score_adj", std::to_string(known.oom_score_adj()))) {
    notes.push_back(name_of(known) + ": oom_score_adj: " + ::strerror(errno));
  }
  constexpr unsigned kDefaultFilter = 0x33;
  if (known.coredump_filter() != kDefaultFilter &&
      !write_text(directory + "coredump_filter", std::to_string(known.coredump_filter()))) {
    notes.push_back(name_of(known) + ": coredump_filter: " + ::strerror(errno));
  }
  set_limits(process, notes);
}

void set_scheduling(const RestoredProcess& process, std::vector<std::string>& notes) {
  for (const auto& thread : process.model->threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid != process.threads.end()) set_scheduling(thread, tid->second, notes);
  }
}

void set_own_attributes(const RestoredProcess& process, CallBatch& batch) {
  const auto& known = *process.model;
  const std::string what = name_of(known);
  batch.add(SYS_umask, {known.umask()}, what + ": umask");
  batch.add(SYS_personality, {known.personality()}, what + ": personality");
  if (known.thp_disabled()) {
    batch.add(SYS_prctl, {PR_SET_THP_DISABLE, 1}, what + ": huge page setting");
  }
}

}  // namespace icecore::replay

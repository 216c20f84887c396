// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/thread_state.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "snapshot/capture/credentials.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"
#include "snapshot/proc/syscall.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

std::string task_file(int tid, const char* file) {
  return "task/" + std::to_string(tid) + "/" + file;
}

void fill_from_stat(const proc::Stat& stat, model::Thread& thread) {
  thread.set_name(stat.name);
  thread.set_state(std::string(1, stat.state));
  thread.set_scheduler_policy(static_cast<int>(stat.policy));
  thread.set_scheduler_priority(stat.realtime_priority);
  thread.set_nice(stat.nice);
  thread.set_cpu(stat.cpu);
  thread.set_user_time_ticks(stat.user_ticks);
  thread.set_system_time_ticks(stat.system_ticks);
  thread.set_start_time(stat.start_time);
}

bool equal(const model::Credentials& a, const model::Credentials& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

void fill_system_call(const proc::SyscallLine& line, model::SystemCall& call) {
  call.set_inside(line.where == proc::SyscallLine::Where::SystemCall);
  if (!call.inside()) return;
  call.set_number(line.number);
  call.mutable_arguments()->Assign(line.arguments.begin(), line.arguments.end());
}

void fill_io_priority(int tid, model::Thread& thread) {
  constexpr int kWhoProcess = 1;  // IOPRIO_WHO_PROCESS: one thread, in spite of its name
  const long priority = ::syscall(SYS_ioprio_get, kWhoProcess, tid);
  if (priority >= 0) thread.set_io_priority(static_cast<int>(priority));
}

void fill_timer_slack(int tid, model::Thread& thread) {
  // Not below task/: each thread's own is at /proc/TID only.
  const auto own = ProcDirectory::read_file("/proc/" + std::to_string(tid) + "/timerslack_ns");
  std::string_view text = own;
  thread.set_timer_slack_ns(proc::to_number<std::uint64_t>(proc::take_line(text)).value_or(0));
}

// struct sched_attr, its first version: glibc 2.36 has neither it nor the call.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t deadline[3];
};

}  // namespace

std::optional<proc::Status> read_thread_status(const ProcDirectory& directory, int tid) {
  if (tid == directory.pid()) {
    const proc::Status* status = directory.status();
    return status != nullptr ? std::optional(*status) : std::nullopt;
  }
  const auto text = directory.read(task_file(tid, "status").c_str(), kOneRecord);
  return text ? std::optional(proc::parse_status(*text)) : std::nullopt;
}

void fill_thread_status(const proc::Status& status, const model::Process& process,
                        model::Thread& thread) {
  thread.mutable_namespace_tids()->Assign(status.namespace_pids.begin(),
                                          status.namespace_pids.end());
  thread.set_signal_mask(status.blocked);
  thread.set_pending_mask(status.pending);
  thread.set_cpus_allowed(status.cpus_allowed);
  thread.clear_credentials();
  if (thread.tid() == process.pid()) return;
  model::Credentials own;
  fill_credentials(status, own);
  if (!equal(own, process.credentials())) *thread.mutable_credentials() = std::move(own);
}

// The leader's stat is that of the process, which was read already.
bool fill_thread_stat(const ProcDirectory& directory, int tid, model::Thread& thread) {
  if (tid == directory.pid()) {
    fill_from_stat(directory.stat(), thread);
  } else {
    const auto stat = directory.read(task_file(tid, "stat").c_str(), kOneRecord);
    if (!stat) return false;
    fill_from_stat(proc::parse_stat(*stat), thread);
  }
  if (thread.state() != "Z" && thread.state() != "X") fill_io_priority(tid, thread);
  return true;
}

void refresh_thread(const proc::Status& status, const model::Process& process,
                    model::Thread& thread) {
  const auto mask = thread.signal_mask();
  fill_thread_status(status, process, thread);
  thread.set_signal_mask(mask);
  thread.set_name(status.name);
  SchedulingAttributes attributes{};
  if (::syscall(SYS_sched_getattr, thread.tid(), &attributes, sizeof attributes, 0) == 0) {
    thread.set_scheduler_policy(static_cast<int>(attributes.policy));
    thread.set_scheduler_priority(attributes.priority);
    thread.set_nice(attributes.nice);
  }
  fill_io_priority(thread.tid(), thread);
}

bool capture_thread_state(const ProcDirectory& directory, int tid, Activity activity,
                          const model::Process& process, model::Thread& thread) {
  thread.set_tid(tid);
  if (!fill_thread_stat(directory, tid, thread)) return false;
  if (const auto status = read_thread_status(directory, tid)) {
    fill_thread_status(*status, process, thread);
  }
  if (thread.state() == "Z" || thread.state() == "X") return true;
  if (activity == Activity::Held) return true;
  if (const auto text = directory.read(task_file(tid, "syscall").c_str(), kOneRecord)) {
    fill_system_call(proc::parse_syscall(*text), *thread.mutable_system_call());
  }
  fill_timer_slack(tid, thread);
  capture_wait_channel(directory, tid, thread);
  return true;
}

void capture_wait_channel(const ProcDirectory& directory, int tid, model::Thread& thread) {
  const auto text = directory.read(task_file(tid, "wchan").c_str(), kOneRecord);
  if (text && *text != "0") thread.set_wait_channel(std::string(*text));
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/process_state.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "snapshot/capture/credentials.h"
#include "snapshot/proc/limits.h"
#include "snapshot/proc/maps.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"
#include "snapshot/proc/text.h"
#include "snapshot/proc/timers.h"

namespace icecore::snapshot {
namespace {

std::string whole(const std::optional<std::string_view>& text) {
  return std::string(text.value_or(""));
}

template <typename Integer>
Integer number_in(const std::optional<std::string_view>& text, int base) {
  std::string_view rest = text.value_or("");
  std::string_view line = proc::take_line(rest);
  return proc::take_number<Integer>(line, base);
}

model::Process::State state_of(const proc::Stat& stat) {
  if (stat.state == 'Z' || stat.state == 'X') {
    return stat.threads > 1 ? model::Process::LEADER_EXITED : model::Process::ZOMBIE;
  }
  return stat.state == 'T' ? model::Process::STOPPED : model::Process::ALIVE;
}

void fill_from_stat(const proc::Stat& stat, model::Process& process) {
  process.set_parent_pid(stat.parent);
  process.set_process_group(stat.process_group);
  process.set_session(stat.session);
  process.set_start_time(stat.start_time);
  process.set_state(state_of(stat));
  process.set_exit_code(stat.exit_code);
  process.set_comm(stat.name);
  process.set_terminal(stat.terminal);
  process.set_foreground_group(stat.foreground_group);
}

void fill_layout(const proc::Stat& stat, model::MemoryLayout& layout) {
  layout.set_start_code(stat.start_code);
  layout.set_end_code(stat.end_code);
  layout.set_start_stack(stat.start_stack);
  layout.set_start_data(stat.start_data);
  layout.set_end_data(stat.end_data);
  layout.set_start_brk(stat.start_brk);
  layout.set_arg_start(stat.arg_start);
  layout.set_arg_end(stat.arg_end);
  layout.set_env_start(stat.env_start);
  layout.set_env_end(stat.env_end);
}

void fill_namespace_ids(const proc::Status& status, model::Process& process) {
  const auto assign = [](const std::vector<int>& from, auto* to) {
    to->Assign(from.begin(), from.end());
  };
  assign(status.namespace_thread_groups, process.mutable_namespace_pids());
  assign(status.namespace_process_groups, process.mutable_namespace_process_groups());
  assign(status.namespace_sessions, process.mutable_namespace_sessions());
}

void fill_from_status(const proc::Status& status, model::Process& process) {
  fill_credentials(status, *process.mutable_credentials());
  process.set_umask(status.umask);
  process.set_pending_mask(status.shared_pending);
  process.set_thp_disabled(!status.thp_enabled);
  // While icecore traces it, the tracer is icecore: not what was meant.
  process.set_tracer_pid(status.tracer == ::getpid() ? 0 : status.tracer);
}

void fill_links(const ProcDirectory& directory, model::Process& process) {
  if (const auto target = directory.read_link("exe")) {
    std::string_view path = *target;
    process.set_executable_deleted(proc::take_deleted(path));
    process.set_executable(std::string(path));
  }
  process.set_working_directory(directory.read_link("cwd").value_or(""));
  process.set_root_directory(directory.read_link("root").value_or(""));
}

void fill_limits(const ProcDirectory& directory, model::Process& process) {
  const auto text = directory.read("limits", kOneRecord);
  if (!text) return;
  for (const proc::LimitLine& line : proc::parse_limits(*text)) {
    model::Limit& limit = *process.add_limits();
    limit.set_name(std::string(line.name));
    limit.set_soft(line.soft);
    limit.set_hard(line.hard);
  }
}

// The kernel lists them by number. Asking for each takes half the time of the list.
bool refresh_limits(model::Process& process) {
  for (int i = 0; i < process.limits_size(); ++i) {
    rlimit limit{};
    if (::prlimit(process.pid(), static_cast<__rlimit_resource>(i), nullptr, &limit) != 0) {
      return false;
    }
    process.mutable_limits(i)->set_soft(limit.rlim_cur);
    process.mutable_limits(i)->set_hard(limit.rlim_max);
  }
  return true;
}

void fill_timers(const ProcDirectory& directory, model::Process& process) {
  const auto text = directory.read("timers");
  if (!text) return;
  for (const proc::TimerEntry& entry : proc::parse_timers(*text)) {
    model::PosixTimer& timer = *process.add_posix_timers();
    timer.set_id(entry.id);
    timer.set_signal(entry.signal);
    timer.set_value_pointer(entry.value_pointer);
    timer.set_notify(std::string(entry.notify));
    timer.set_clock(entry.clock);
  }
}

// What only a process with memory has.
void fill_from_memory(const ProcDirectory& directory, model::Process& process) {
  process.set_command_line(whole(directory.read_shared("cmdline", kOneRecord)));
  process.set_environment(whole(directory.read_shared("environ", kOneRecord)));
  process.set_auxv(whole(directory.read_shared("auxv", kOneRecord)));
  process.set_personality(
      number_in<unsigned>(directory.read_shared("personality", kOneRecord), 16));
  process.set_dumpable(read_dumpable(directory.shared_tid()));
}

}  // namespace

int read_dumpable(int pid) {
  // struct pidfd_info up to coredump_mask; the ioctl since Linux 6.13, this part of it since 6.16.
  struct {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t ids[12];
    std::uint32_t coredump_mask;
    std::uint32_t spare;
  } info{};
  constexpr std::uint64_t kInfoCoredump = 1U << 4U;
  constexpr unsigned kSkip = 1U << 1U;
  constexpr unsigned kUser = 1U << 2U;
  constexpr unsigned kRoot = 1U << 3U;
  constexpr unsigned kThread = O_EXCL;  // PIDFD_THREAD: the living thread of a dead leader, too
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, kThread)));
  info.mask = kInfoCoredump;
  if (!handle.valid() ||
      ::ioctl(handle.get(), _IOC(_IOC_READ | _IOC_WRITE, 0xFF, 11, sizeof info), &info) != 0) {
    return -1;
  }
  if ((info.mask & kInfoCoredump) == 0) return -1;
  if ((info.coredump_mask & kUser) != 0) return 1;
  if ((info.coredump_mask & kRoot) != 0) return 2;
  return (info.coredump_mask & kSkip) != 0 ? 0 : -1;
}

void capture_open_state(const ProcDirectory& directory, model::Process& process) {
  process.set_pid(directory.pid());
  fill_from_stat(directory.stat(), process);
  process.set_cgroup(whole(directory.read("cgroup", kOneRecord)));
  process.set_oom_score_adj(number_in<int>(directory.read("oom_score_adj", kOneRecord), 10));
  fill_limits(directory, process);
  if (const proc::Status* status = directory.status()) {
    fill_namespace_ids(*status, process);
    fill_from_status(*status, process);
  }
  if (process.state() == model::Process::ZOMBIE) return;
  proc::Stat living = directory.stat();
  if (process.state() == model::Process::LEADER_EXITED) {
    if (const auto text = directory.read_shared("status", kOneRecord)) {
      fill_from_status(proc::parse_status(*text), process);
    }
    if (const auto text = directory.read_shared("stat", kOneRecord))
      living = proc::parse_stat(*text);
  }
  fill_layout(living, *process.mutable_layout());
  fill_links(directory, process);
  process.set_coredump_filter(
      number_in<unsigned>(directory.read_shared("coredump_filter", kOneRecord), 16));
}

bool refresh_open_state(const ProcDirectory& directory, model::Process& process) {
  const proc::Stat& stat = directory.stat();
  const proc::Status* status = directory.status();
  const bool alive = process.state() == model::Process::ALIVE;
  if (!alive || status == nullptr || stat.start_time != process.start_time()) return false;
  fill_from_stat(stat, process);
  process.set_state(model::Process::ALIVE);  // /proc tells of our stop
  process.set_cgroup(whole(directory.read("cgroup", kOneRecord)));
  process.set_oom_score_adj(number_in<int>(directory.read("oom_score_adj", kOneRecord), 10));
  process.clear_namespace_pids();
  process.clear_namespace_process_groups();
  process.clear_namespace_sessions();
  fill_namespace_ids(*status, process);
  process.set_umask(status->umask);
  fill_links(directory, process);
  process.set_coredump_filter(
      number_in<unsigned>(directory.read_shared("coredump_filter", kOneRecord), 16));
  return refresh_limits(process);
}

void capture_own_state(const ProcDirectory& directory, const OwnNamespaces& own,
                       model::Process& process) {
  fill_timers(directory, process);
  fill_from_memory(directory, process);
  capture_namespaces(directory, own, process);
}

void keep_own_state(const model::Process& before, model::Process& process) {
  process.set_command_line(before.command_line());
  process.set_environment(before.environment());
  process.set_auxv(before.auxv());
  process.set_personality(before.personality());
  process.set_dumpable(before.dumpable());
  process.set_child_subreaper(before.child_subreaper());
  process.mutable_layout()->set_brk(before.layout().brk());
  process.mutable_credentials()->set_securebits(before.credentials().securebits());
  *process.mutable_namespaces() = before.namespaces();
  *process.mutable_actions() = before.actions();
  process.set_sigactions_known(before.sigactions_known());
  *process.mutable_seccomp_filters() = before.seccomp_filters();
}

void capture_process_state(const ProcDirectory& directory, const OwnNamespaces& own,
                           model::Process& process) {
  capture_open_state(directory, process);
  if (process.state() != model::Process::ZOMBIE) capture_own_state(directory, own, process);
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
// Processes and threads that are born, execute another program, and end.
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "replay/live/live_tree.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

using gdbstub::Forked;
using gdbstub::ResumeAction;

bool share_memory(int one, int other) {
  return ::syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0;
}

}  // namespace

/// Its first stop; the kernel promises one.
bool LiveTree::wait_for_birth(std::int32_t tid) {
  if (early_.erase(tid) != 0) return true;
  int status = 0;
  pid_t got = 0;
  while ((got = ::waitpid(tid, &status, __WALL)) < 0 && errno == EINTR) {
  }
  return got == tid && WIFSTOPPED(status);
}

LiveTree::After LiveTree::take_fork(LiveThread& thread, Forked::Kind kind) {
  const auto message = ptrace_call::event_message(thread.id.tid);
  const int child = static_cast<int>(message.value_or(0));
  if (child == 0 || !wait_for_birth(child)) return After::Run;
  const LiveProcess& parent = process(thread.id.pid);
  const bool shared = kind == Forked::Kind::VFork || share_memory(parent.pid, child);
  std::shared_ptr<LiveMemory> memory = parent.memory;
  if (!shared) {
    memory = std::make_shared<LiveMemory>(child, guard_of(parent));
    memory->clean_copy_of(*parent.memory);
  }
  LiveProcess& born = take_new_process(thread, child, std::move(memory));
  const bool shown = parent.visibility == LiveProcess::Visibility::Shown;
  if (shown && (kind == Forked::Kind::Fork ? wishes_.forks : wishes_.vforks)) {
    thread.unreported = Forked{kind, {child, child}};
    return After::Hold;
  }
  if (!shared) {
    let_go(child);
    return After::Run;
  }
  // Traps in the memory that it shares would kill it: it stays under our eyes until it executes.
  born.visibility = LiveProcess::Visibility::Hidden;
  LiveThread& leader = born.threads.at(child);
  leader.wanted = ResumeAction{};
  if (!holding_) run(leader);
  return After::Run;
}

LiveProcess& LiveTree::take_new_process(const LiveThread& parent, std::int32_t pid,
                                        std::shared_ptr<LiveMemory> memory) {
  LiveProcess& born = processes_[pid];
  born.pid = pid;
  born.parent = parent.id.pid;
  born.ownership = process(parent.id.pid).ownership;
  born.memory = std::move(memory);
  born.threads[pid].id = {pid, pid};
  process_of_[pid] = pid;
  const auto caught = wishes_.system_calls.find(parent.id.pid);
  if (caught != wishes_.system_calls.end()) wishes_.system_calls[pid] = caught->second;
  if (observer_ != nullptr) observer_->born(parent.id.pid, pid);
  return born;
}

LiveTree::After LiveTree::take_clone(LiveThread& thread) {
  const auto message = ptrace_call::event_message(thread.id.tid);
  const int child = static_cast<int>(message.value_or(0));
  if (child == 0) return After::Run;
  const auto group = snapshot::thread_group(child);
  if (group && *group == child) return take_fork(thread, Forked::Kind::Fork);
  if (wait_for_birth(child)) take_new_thread(thread, child);
  return After::Run;
}

void LiveTree::take_new_thread(LiveThread& parent, std::int32_t tid) {
  LiveProcess& owner = process(parent.id.pid);
  LiveThread& born = owner.threads[tid];
  born.id = {owner.pid, tid};
  process_of_[tid] = owner.pid;
  if (!owner.watches.empty()) apply_watches(born);
  const bool follows = mode_ == Mode::NonStop || actions_.empty();
  if (follows && parent.wanted) born.wanted = ResumeAction{};
  for (const ResumeAction& action : actions_) {
    if (follows || !parent.wanted || !action.threads.matches(born.id)) continue;
    born.wanted = action;
    born.wanted->signal = 0;
    break;
  }
  if (wishes_.thread_births_and_ends) {
    born.unreported = gdbstub::ThreadStarted{};
  } else if (born.wanted && !holding_) {
    run(born);
  }
}

/// All other threads are gone, and the one that called has the leader's id now.
LiveTree::After LiveTree::take_execution(LiveThread& thread) {
  LiveProcess& owner = process(thread.id.pid);
  const auto former =
      static_cast<std::int32_t>(ptrace_call::event_message(thread.id.tid).value_or(0));
  const auto caller = owner.threads.find(former);
  if (caller != owner.threads.end()) thread.wanted = caller->second.wanted;
  std::erase_if(owner.threads, [&](const auto& each) {
    if (each.first == thread.id.tid) return false;
    process_of_.erase(each.first);
    return true;
  });
  if (observer_ != nullptr) observer_->forget(owner.pid);
  owner.memory->remove_traps(owner.pid);
  owner.watches.clear();
  if (guard_) guard_->drop_watches(owner.pid);
  thread.injected.clear();
  thread.unreported.reset();
  if (owner.visibility == LiveProcess::Visibility::Hidden) {
    let_go(owner.pid);
    return After::Hold;
  }
  owner.memory = std::make_shared<LiveMemory>(owner.pid, guard_of(owner));
  std::error_code failure;
  const auto path =
      std::filesystem::read_symlink("/proc/" + std::to_string(owner.pid) + "/exe", failure);
  if (wishes_.executions) {
    thread.unreported = gdbstub::Executed{path.string()};
  } else {
    thread.unreported = gdbstub::Signalled{SIGTRAP};
  }
  return After::Hold;
}

void LiveTree::remove_thread(std::int32_t tid, int status) {
  early_.erase(tid);
  const auto known = process_of_.find(tid);
  if (known == process_of_.end()) return;
  const std::int32_t pid = known->second;
  process_of_.erase(known);
  LiveProcess& owner = processes_.at(pid);
  owner.threads.erase(tid);
  const bool shown = owner.visibility == LiveProcess::Visibility::Shown;
  if (tid != pid) {
    if (shown && wishes_.thread_births_and_ends) {
      ended_.push_back({{pid, tid}, gdbstub::ThreadExited{WEXITSTATUS(status)}});
    }
    return;
  }
  // The leader's end is reported last: the process is gone.
  for (const auto& [other, thread] : owner.threads) process_of_.erase(other);
  owner.memory->remove_traps(pid);
  if (guard_) guard_->drop_watches(pid);
  if (observer_ != nullptr) observer_->forget(pid);
  processes_.erase(pid);
  wishes_.system_calls.erase(pid);
  if (!shown) return;
  if (WIFSIGNALED(status)) {
    ended_.push_back({{pid, pid}, gdbstub::ProcessKilled{WTERMSIG(status)}});
  } else {
    ended_.push_back({{pid, pid}, gdbstub::ProcessExited{WEXITSTATUS(status)}});
  }
}

}  // namespace icecore::replay

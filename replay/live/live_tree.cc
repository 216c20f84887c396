// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_tree.h"

#include <signal.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

unsigned options_for(LiveProcess::Ownership ownership) {
  return ptrace_call::debugging_options(ownership == LiveProcess::Ownership::Ours
                                            ? ptrace_call::TracerDeath::KillsThem
                                            : ptrace_call::TracerDeath::LeavesThem);
}

std::string name_of(std::int32_t pid) { return "process " + std::to_string(pid); }

}  // namespace

LiveTree::~LiveTree() {
  std::vector<std::int32_t> pids;
  for (const auto& [pid, process] : processes_) pids.push_back(pid);
  for (const std::int32_t pid : pids) {
    try {
      const auto found = processes_.find(pid);
      if (found == processes_.end()) continue;
      if (found->second.ownership == LiveProcess::Ownership::Ours) {
        kill(pid);
      } else {
        detach(pid);
      }
    } catch (const Error& error) {
      log(Topic::Tracing, "letting go of " + name_of(pid) + ": " + error.what());
    }
  }
}

LiveProcess& LiveTree::process(std::int32_t pid) {
  const auto found = processes_.find(pid);
  if (found != processes_.end()) return found->second;
  throw Error(name_of(pid) + " is not being debugged");
}

LiveThread* LiveTree::find_thread(std::int32_t tid) {
  const auto pid = process_of_.find(tid);
  if (pid == process_of_.end()) return nullptr;
  return &processes_.at(pid->second).threads.at(tid);
}

LiveThread& LiveTree::thread(gdbstub::ThreadId id) {
  LiveThread* found = find_thread(id.tid);
  if (found != nullptr && found->id.pid == id.pid) return *found;
  throw Error("thread " + std::to_string(id.tid) + " of " + name_of(id.pid) + " does not exist");
}

LiveThread& LiveTree::stopped_thread(gdbstub::ThreadId id) {
  LiveThread& found = thread(id);
  if (found.state == LiveThread::State::Stopped) return found;
  throw Error("thread " + std::to_string(id.tid) +
              (found.state == LiveThread::State::Suspended
                   ? " waits inside vfork for its child: it cannot be looked at before that"
                   : " is running"));
}

LiveProcess& LiveTree::adopt(std::int32_t pid, std::span<const std::int32_t> tids,
                             LiveProcess::Ownership ownership) {
  LiveProcess& process = processes_[pid];
  process.pid = pid;
  process.ownership = ownership;
  process.memory = std::make_shared<LiveMemory>(pid);
  if (const auto stat = snapshot::task_stat(pid, pid)) process.parent = stat->parent;
  for (const std::int32_t tid : tids) {
    ptrace_call::set_options(tid, options_for(ownership));
    process.threads[tid].id = {pid, tid};
    process_of_[tid] = pid;
  }
  return process;
}

LiveProcess& LiveTree::attach(std::int32_t pid) {
  if (processes_.contains(pid)) throw Error(name_of(pid) + " is being debugged already");
  LiveProcess& process = processes_[pid];
  process.pid = pid;
  process.ownership = LiveProcess::Ownership::Theirs;
  // A thread may be born while the others are seized: again until none was.
  for (bool found_one = true; found_one;) {
    found_one = false;
    for (const int tid : snapshot::task_ids(pid)) {
      if (process_of_.contains(tid)) continue;
      const auto outcome = ptrace_call::seize(tid, options_for(process.ownership));
      if (outcome == ptrace_call::Seize::NotPermitted) {
        const auto signals = snapshot::task_signals(pid, tid);
        if (signals && signals->tracer == ::gettid()) continue;  // by the kernel, at its birth
        while_stopped(pid, [] {});
        let_go(pid);
        Error refused("attach to " + name_of(pid) + ": not permitted");
        refused.set_why(signals && signals->tracer != 0
                            ? "it is traced by process " + std::to_string(signals->tracer)
                            : "it belongs to another user, or may not be traced");
        throw refused;
      }
      if (outcome != ptrace_call::Seize::Done) continue;
      LiveThread& thread = process.threads[tid];
      thread.id = {pid, tid};
      thread.state = LiveThread::State::Running;
      process_of_[tid] = pid;
      found_one = true;
    }
  }
  if (process.threads.empty()) {
    if (observer_ != nullptr) observer_->forget(pid);
    processes_.erase(pid);
    throw Error("attach to " + name_of(pid) + ": there is no such process");
  }
  if (!guard_) guard_ = std::make_unique<TrapGuard>();
  process.memory = std::make_shared<LiveMemory>(pid, guard_.get());
  if (const auto stat = snapshot::task_stat(pid, pid)) process.parent = stat->parent;
  stop_all();
  return process;
}

const user_regs_struct& LiveTree::registers(LiveThread& thread) {
  if (!thread.registers) {
    thread.registers = ptrace_call::registers(thread.id.tid);
    if (!thread.registers) {
      throw Error("thread " + std::to_string(thread.id.tid) + " has just been killed");
    }
  }
  return *thread.registers;
}

void LiveTree::set_registers(LiveThread& thread, const user_regs_struct& registers) {
  if (ptrace_call::set_registers(thread.id.tid, registers)) thread.registers = registers;
}

const std::string& LiveTree::xstate(LiveThread& thread) {
  if (!thread.xstate) thread.xstate = ptrace_call::xstate(thread.id.tid).value_or("");
  return *thread.xstate;
}

void LiveTree::set_xstate(LiveThread& thread, const std::string& image) {
  if (ptrace_call::set_xstate(thread.id.tid, image)) thread.xstate = image;
}

void LiveTree::apply_watches(const LiveThread& thread) {
  const auto wanted = process(thread.id.pid).watches.registers();
  const int tid = thread.id.tid;
  // While the control register names an address, the kernel checks it at every change.
  ptrace_call::set_debug_register(tid, 7, 0);
  for (unsigned i = 0; i < wanted.addresses.size(); ++i) {
    ptrace_call::set_debug_register(tid, i, wanted.addresses[i]);
  }
  if (wanted.control != 0 && !ptrace_call::set_debug_register(tid, 7, wanted.control)) {
    throw_errno("set the debug registers of thread " + std::to_string(tid));
  }
}

void LiveTree::apply_watches(LiveProcess& process) {
  TrapGuard* const guard = guard_of(process);
  if (guard != nullptr && !process.watches.empty()) guard->keep_watches(process.pid);
  while_stopped(process.pid, [&] {
    for (const auto& [tid, thread] : process.threads) {
      if (thread.state == LiveThread::State::Stopped) apply_watches(thread);
    }
  });
  if (guard != nullptr && process.watches.empty()) guard->drop_watches(process.pid);
}

TrapGuard* LiveTree::guard_of(const LiveProcess& process) const {
  return process.ownership == LiveProcess::Ownership::Theirs ? guard_.get() : nullptr;
}

void LiveTree::detach(std::int32_t pid) {
  process(pid);
  while_stopped(pid, [] {});
  let_go(pid);
}

/// Of a process whose threads are stopped.
void LiveTree::let_go(std::int32_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return;
  LiveProcess& process = found->second;
  if (observer_ != nullptr) observer_->let_go(process);
  if (process.memory) process.memory->remove_traps(pid);
  const bool watched = !process.watches.empty();
  process.watches.clear();
  for (auto& [tid, thread] : process.threads) {
    if (watched && thread.state == LiveThread::State::Stopped) apply_watches(thread);
    const auto& allowed = wishes_.deliverable_signals;
    const bool dropped = allowed && !allowed->contains(thread.signal);
    // A thread in a job-control stop re-enters it by itself.
    ptrace_call::detach(tid, thread.group_stop != 0 || dropped ? 0 : thread.signal);
    process_of_.erase(tid);
  }
  if (watched && guard_) guard_->drop_watches(pid);
  wishes_.system_calls.erase(pid);
  processes_.erase(found);
}

void LiveTree::kill(std::int32_t pid) {
  process(pid);
  ::kill(pid, SIGKILL);
  // Its exit is reported after those of all its threads, some of which we may not know yet.
  while (processes_.contains(pid)) {
    const auto status = signals_.next();
    if (status) {
      take_status(*status);
    } else {
      if (!snapshot::task_stat(pid, pid)) remove_thread(pid, 0);
      ChildSignals::wait(std::chrono::milliseconds(5));
    }
  }
  std::erase_if(ended_, [pid](const auto& event) { return event.thread.pid == pid; });
}

}  // namespace icecore::replay

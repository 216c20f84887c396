// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/traced_tree.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/log.h"
#include "snapshot/tracing/syscall_restart.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

using Clock = std::chrono::steady_clock;

// Children of an attached tree are attached by the kernel before their first instruction; an exec
// is reported because it ends the process's other threads.
constexpr unsigned kDetachedOptions = PTRACE_O_TRACESYSGOOD;
constexpr unsigned kAttachedOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                                      PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

/// Waits for the next SIGCHLD until `deadline`; false when the time is over.
bool wait_for_sigchld(Clock::time_point deadline) {
  const auto left = deadline - Clock::now();
  if (left <= std::chrono::nanoseconds::zero()) return false;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return ::sigtimedwait(&set, nullptr, &timeout) >= 0 || errno == EINTR;
}

}  // namespace

TracedTree::TracedTree(int root, Between between) : root_(root), between_(between) {
  int subreaper = 0;
  adopts_orphans_ = ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper != 0;
}

TracedTree::~TracedTree() {
  try {
    if (frozen_ || freezing_) thaw();
    // Calls that we restarted with other arguments end under our eyes if they end soon.
    finish_calls(Clock::now() + std::chrono::milliseconds(300));
    const bool unfinished = std::any_of(threads_.begin(), threads_.end(),
                                        [](const auto& each) { return each.second.call; });
    if (attached_ || unfinished) {
      giving_up_ = true;
      // Detaching needs a stop; the freeze gives one, and what cannot stop is let go by our end.
      between_ = Between::Detached;
      freeze(std::chrono::milliseconds(500));
      thaw();
    }
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("detaching: ") + error.what());
  }
}

// ---- listing ----------------------------------------------------------------------------------

bool TracedTree::add_process(int pid) {
  if (pid == ::getpid()) return false;
  const auto leader = threads_.find(pid);
  if (leader != threads_.end() && leader->second.readable()) return false;  // known, and held
  const auto stat = task_stat(pid, pid);
  if (!stat || stat->state == 'X') return false;
  const auto known = processes_.find(pid);
  if (known != processes_.end()) {
    if (known->second.start_time == stat->start_time) {
      known->second.zombie = stat->state == 'Z' && task_ids(pid).size() == 1;
      return false;
    }
    processes_.erase(known);  // the pid was used again for another process
  }
  TracedProcess process;
  process.pid = pid;
  process.parent = stat->parent;
  process.start_time = stat->start_time;
  process.zombie = stat->state == 'Z' && task_ids(pid).size() == 1;
  process.left_alone = is_left_alone(stat->parent);
  processes_.emplace(pid, process);
  return true;
}

bool TracedTree::is_left_alone(int parent) {
  const auto known = processes_.find(parent);
  return known != processes_.end() &&
         (known->second.left_alone || inner_tracers_.can_trace(parent));
}

/// Whether the threads of `pid` stay attached between snapshots.
bool TracedTree::keeps(int pid) const {
  const auto process = processes_.find(pid);
  return between_ == Between::Attached && process != processes_.end() &&
         !process->second.left_alone;
}

bool TracedTree::add_thread(int pid, int tid) {
  const auto found = threads_.find(tid);
  if (found != threads_.end()) {
    const auto state = found->second.state;
    const bool runs =
        state == TracedThread::State::Running || state == TracedThread::State::Listening;
    if (!runs || found->second.interrupted) return false;
    seize_and_interrupt(found->second);
    return true;
  }
  TracedThread thread;
  thread.tid = tid;
  thread.pid = pid;
  if (!freezing_ && !keeps(pid)) return false;
  switch (ptrace_call::seize(tid, options_for(pid))) {
    case ptrace_call::Seize::Done:
      break;
    case ptrace_call::Seize::Gone:
      return false;
    case ptrace_call::Seize::NotPermitted: {
      const auto stat = task_stat(pid, tid);
      if (!stat || stat->state == 'Z' || stat->state == 'X') return false;
      const auto signals = task_signals(pid, tid);
      // The kernel attaches the children of an attached tree by itself.
      if (signals && signals->tracer == ::gettid()) break;
      thread.state = TracedThread::State::Foreign;
      thread.foreign_tracer = signals ? signals->tracer : 0;
      break;
    }
  }
  processes_[pid].tids.insert(tid);
  auto& added = threads_[tid] = thread;
  if (freezing_) seize_and_interrupt(added);
  return true;
}

void TracedTree::seize_and_interrupt(TracedThread& thread) {
  if (thread.state != TracedThread::State::Running &&
      thread.state != TracedThread::State::Listening) {
    return;
  }
  thread.interrupted = ptrace_call::interrupt(thread.tid);
  thread.state = TracedThread::State::Running;
}

/// Children of the threads of `pid`, and, where orphans come to us instead of init, our own.
bool TracedTree::add_children(int pid, const std::vector<int>& tids) {
  bool added = false;
  for (const int tid : tids) {
    for (const int child : child_pids(pid, tid)) added = add_process(child) || added;
  }
  if (pid == root_ && adopts_orphans_) {
    for (const int tid : task_ids(::getpid())) {
      for (const int child : child_pids(::getpid(), tid)) added = add_process(child) || added;
    }
  }
  return added;
}

std::vector<int> TracedTree::known_pids() const {
  std::vector<int> pids;
  for (const auto& [pid, process] : processes_) pids.push_back(pid);
  return pids;
}

void TracedTree::list_processes() {
  if (processes_.empty()) add_process(root_);
  bool changed = true;
  while (changed) {
    changed = false;
    for (const int pid : known_pids()) changed = add_children(pid, task_ids(pid)) || changed;
  }
}

/// Seizes the threads of every process, those that note_sleepers() saw if it did so a moment ago.
/// Programs that may trace others stop before what they may be about to trace is seized: a task has
/// one tracer, and theirs would be refused. False when the time is over.
bool TracedTree::seize_known(bool listed, Clock::time_point deadline) {
  for (const bool left_alone : {false, true}) {
    bool added = false;
    for (const int pid : known_pids()) {
      const auto& process = processes_.at(pid);
      if (process.zombie || process.left_alone != left_alone) continue;
      const auto seen = listed_.find(pid);
      const bool known = listed && seen != listed_.end();
      for (const int tid : known ? seen->second : task_ids(pid)) {
        added = add_thread(pid, tid) || added;
      }
      const bool ended = known && process.tids.empty() && !task_stat(pid, pid);
      if (ended) processes_.erase(pid);
    }
    const bool waits = freezing_ && (added || !left_alone);
    if (waits && !wait_for_stops(deadline)) return false;
  }
  return true;
}

/// What ended since the last time must not be waited for.
void TracedTree::drop_ended() {
  for (const int pid : known_pids()) {
    auto& process = processes_.at(pid);
    const auto stat = task_stat(pid, pid);
    if (stat && stat->start_time == process.start_time) {
      process.parent = stat->parent;
    } else {
      for (const int tid : process.tids) threads_.erase(tid);
      processes_.erase(pid);
    }
  }
}

/// True when no task of the whole machine was born since note_sleepers() listed the processes:
/// seize_known() has then seen every thread of every one, and there are no others.
bool TracedTree::nothing_was_born() {
  const auto before = std::exchange(population_, std::nullopt);
  return before && before == population();
}

/// One look at every process for threads and children that are not known yet.
bool TracedTree::seize_new() {
  bool added = false;
  for (const int pid : known_pids()) {
    const auto tids = task_ids(pid);
    for (const int tid : tids) {
      if (!processes_[pid].zombie && add_thread(pid, tid)) added = true;
    }
    if (add_children(pid, tids)) added = true;
  }
  return added;
}

void TracedTree::attach() {
  list_processes();
  seize_known(false, Clock::now());
  attached_ = between_ == Between::Attached;
}

// ---- freezing ---------------------------------------------------------------------------------

TracedTree::Outcome TracedTree::freeze(std::chrono::nanoseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  freezing_ = true;
  // As long as nothing was born, the list of a moment ago has all that lives: /proc need not be
  // read.
  bool listed = population_ && population_ == population();
  if (!listed) drop_ended();
  if (processes_.empty()) list_processes();
  for (auto& [tid, thread] : threads_) seize_and_interrupt(thread);
  do {
    if (!seize_known(std::exchange(listed, false), deadline)) return Outcome::TimedOut;
    // A thread may have been born just before its parent stopped: look again until none was. What
    // is stopped cannot fork, so that this ends.
  } while (!nothing_was_born() && seize_new());
  freezing_ = false;
  frozen_ = !processes_.empty();
  return frozen_ ? Outcome::Frozen : Outcome::Empty;
}

bool TracedTree::wait_for_stops(Clock::time_point deadline) {
  // One task after another, not waitpid(-1): that walks the whole list each time.
  for (;;) {
    std::vector<int> waiting;
    for (const auto& [tid, thread] : threads_) {
      if (thread.state == TracedThread::State::Running) waiting.push_back(tid);
    }
    bool progress = false;
    for (const int tid : waiting) {
      int status = 0;
      const int got = ::waitpid(tid, &status, __WALL | WNOHANG);
      if (got == tid) {
        take_status(tid, status);
        progress = true;
      } else if (got < 0 && errno == ECHILD) {
        remove_thread(tid, 0);
        progress = true;
      }
    }
    if (progress) continue;
    if (waiting.empty()) return true;
    // Give ordinary stops a moment before asking /proc who is suspended in the kernel.
    if (wait_for_sigchld(std::min(deadline, Clock::now() + std::chrono::milliseconds(2)))) continue;
    mark_suspended();
    const bool all = std::none_of(threads_.begin(), threads_.end(), [](const auto& entry) {
      return entry.second.state == TracedThread::State::Running;
    });
    if (all) return true;
    if (Clock::now() >= deadline) return false;
  }
}

/// A vfork parent sleeps uninterruptibly until its child execs or exits. The child is stopped, so
/// the parent cannot run either; the stop that we asked for will come before its next instruction.
void TracedTree::mark_suspended() {
  for (auto& [tid, thread] : threads_) {
    if (thread.state != TracedThread::State::Running) continue;
    const auto stat = task_stat(thread.pid, tid);
    if (!stat || stat->state != 'D') continue;
    const auto number = task_syscall(thread.pid, tid);
    if (number && (*number == SYS_vfork || *number == SYS_clone || *number == SYS_clone3)) {
      thread.state = TracedThread::State::Suspended;
    }
  }
}

std::optional<FreezeHoldup> TracedTree::holdup() const {
  for (const auto& [tid, thread] : threads_) {
    if (thread.state != TracedThread::State::Running) continue;
    const auto stat = task_stat(thread.pid, tid);
    const char state = stat ? stat->state : '?';
    std::string reason = state == 'D' ? "in an uninterruptible system call" : "did not stop";
    if (const auto number = task_syscall(thread.pid, tid)) {
      reason += " (system call " + std::to_string(*number) + ")";
    }
    return FreezeHoldup{thread.pid, tid, reason};
  }
  return std::nullopt;
}

void TracedTree::finish_calls(Clock::time_point deadline) {
  const auto unfinished = [this] {
    return std::any_of(threads_.begin(), threads_.end(),
                       [](const auto& each) { return each.second.call.has_value(); });
  };
  while (unfinished()) {
    while (dispatch()) {
    }
    if (!unfinished() || !wait_for_sigchld(deadline)) return;
  }
}

unsigned TracedTree::options_for(int pid) const {
  return keeps(pid) ? kAttachedOptions : kDetachedOptions;
}

// ---- letting go -------------------------------------------------------------------------------

void TracedTree::release(TracedThread& thread) {
  const int signal = thread.stop_signal;
  thread.stop_signal = 0;
  thread.xstate.clear();
  thread.signal_mask.reset();
  if (const auto time_left = std::exchange(thread.time_left, std::nullopt)) {
    time_left->count_stop(thread.pid);
  }
  if (thread.call) {
    const auto registers = giving_up_ ? std::nullopt : thread.call->going_on(thread.pid);
    if (registers) {
      ptrace_call::set_registers(thread.tid, *registers);
      ptrace_call::resume_to_syscall(thread.tid, signal);
      thread.state = TracedThread::State::Running;
      return;
    }
    ptrace_call::set_registers(thread.tid, thread.call->given_up());
    thread.call.reset();
  }
  if (!keeps(thread.pid)) {
    // Leaves a job-control stop as it is: the kernel re-enters it.
    ptrace_call::detach(thread.tid, signal);
    forget_thread(thread.tid);
  } else if (thread.state == TracedThread::State::GroupStopped) {
    ptrace_call::listen(thread.tid);
    thread.state = TracedThread::State::Listening;
  } else {
    ptrace_call::resume(thread.tid, signal);
    thread.state = TracedThread::State::Running;
  }
}

void TracedTree::forget_thread(int tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return;
  const auto process = processes_.find(found->second.pid);
  if (process != processes_.end()) process->second.tids.erase(tid);
  threads_.erase(found);
}

void TracedTree::resume(int tid) {
  const auto found = threads_.find(tid);
  if (found != threads_.end() && found->second.state == TracedThread::State::Stopped) {
    release(found->second);
  }
}

void TracedTree::thaw() {
  freezing_ = frozen_ = false;
  std::vector<int> tids;
  // What a program may be about to trace is let go before that program.
  for (const bool left_alone : {true, false}) {
    for (const auto& [tid, thread] : threads_) {
      const auto process = processes_.find(thread.pid);
      const bool is_left_alone = process != processes_.end() && process->second.left_alone;
      if (is_left_alone == left_alone) tids.push_back(tid);
    }
  }
  for (const int tid : tids) {
    auto& thread = threads_.at(tid);
    if (thread.readable()) {
      release(thread);
    } else if (thread.state == TracedThread::State::Foreign) {
      forget_thread(tid);  // looked at anew next time: its tracer may be gone by then
    } else if (thread.state == TracedThread::State::Suspended) {
      // Still seized, its stop still to come; dispatch() lets it go then.
      thread.state = TracedThread::State::Running;
    }
  }
}

TracedThread* TracedTree::driver(int pid) {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return nullptr;
  TracedThread* best = nullptr;
  for (const int tid : process->second.tids) {
    const auto thread = threads_.find(tid);
    if (thread == threads_.end() || !thread->second.readable()) continue;
    // The leader keeps its id for ever, and a thread outside a job-control stop needs no care.
    const bool plain = thread->second.state == TracedThread::State::Stopped;
    if (best == nullptr || (plain && best->state != TracedThread::State::Stopped)) {
      best = &thread->second;
    }
  }
  return best;
}

void TracedTree::restore_group_stop(TracedThread& thread) {
  ICECORE_CHECK(thread.state == TracedThread::State::GroupStopped);
  if (!ptrace_call::interrupt(thread.tid) || !ptrace_call::resume(thread.tid, 0)) return;
  int status = 0;
  if (::waitpid(thread.tid, &status, __WALL) == thread.tid && !WIFSTOPPED(status)) {
    remove_thread(thread.tid, status);
  }
}

}  // namespace icecore::snapshot

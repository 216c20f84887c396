// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/traced_tree.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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
constexpr unsigned kAttachedOptions =
    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

bool is_stopping_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// Signals whose default action leaves a core: a defect in any process of the tree.
bool is_core_signal(int signal) {
  switch (signal) {
    case SIGQUIT:
    case SIGILL:
    case SIGABRT:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGSYS:
    case SIGTRAP:
    case SIGXCPU:
    case SIGXFSZ:
      return true;
    default:
      return false;
  }
}

bool is_harmless_by_default(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH ||
         is_stopping_signal(signal);
}

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

TracedTree::TracedTree(int root, Between between) : root_(root), between_(between) {}

TracedTree::~TracedTree() {
  try {
    if (frozen_ || freezing_) thaw();
    if (attached_) {
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
  process.start_time = stat->start_time;
  process.zombie = stat->state == 'Z' && task_ids(pid).size() == 1;
  processes_.emplace(pid, process);
  return true;
}

bool TracedTree::add_thread(int pid, int tid) {
  const auto found = threads_.find(tid);
  if (found != threads_.end()) {
    if (found->second.interrupted || found->second.readable()) return false;
    seize_and_interrupt(found->second);
    return true;
  }
  TracedThread thread;
  thread.tid = tid;
  thread.pid = pid;
  const auto options = between_ == Between::Attached ? kAttachedOptions : 0U;
  switch (ptrace_call::seize(tid, options)) {
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

/// Lists and seizes until nothing new appears. Threads of a process first: only they can fork.
void TracedTree::discover() {
  if (processes_.empty()) add_process(root_);
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<int> pids;
    for (const auto& [pid, process] : processes_) pids.push_back(pid);
    for (const int pid : pids) {
      for (const int tid : task_ids(pid)) {
        if (!processes_[pid].zombie && add_thread(pid, tid)) changed = true;
        for (const int child : child_pids(pid, tid)) {
          if (add_process(child)) changed = true;
        }
      }
    }
  }
}

void TracedTree::attach() {
  discover();
  attached_ = between_ == Between::Attached;
}

// ---- freezing ---------------------------------------------------------------------------------

TracedTree::Outcome TracedTree::freeze(std::chrono::nanoseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  freezing_ = true;
  // What ended since the last time must not be waited for.
  std::erase_if(processes_, [this](const auto& entry) {
    const auto stat = task_stat(entry.first, entry.first);
    const bool gone = !stat || stat->start_time != entry.second.start_time;
    if (gone) {
      for (const int tid : entry.second.tids) threads_.erase(tid);
    }
    return gone;
  });
  for (auto& [tid, thread] : threads_) seize_and_interrupt(thread);
  std::size_t before = 0;
  do {
    before = threads_.size() + processes_.size();
    discover();
    if (!wait_for_stops(deadline)) return Outcome::TimedOut;
    // A thread may have been born just before its parent stopped: look again until none was.
    discover();
  } while (threads_.size() + processes_.size() != before ||
           std::any_of(threads_.begin(), threads_.end(), [](const auto& entry) {
             return entry.second.state == TracedThread::State::Running;
           }));
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

// ---- wait statuses ----------------------------------------------------------------------------

std::optional<TreeEvent> TracedTree::dispatch() {
  for (;;) {
    if (!events_.empty()) {
      const TreeEvent event = events_.front();
      events_.erase(events_.begin());
      return event;
    }
    int status = 0;
    const int tid = ::waitpid(-1, &status, __WALL | WNOHANG | WUNTRACED);
    if (tid <= 0) return std::nullopt;
    take_status(tid, status);
  }
}

void TracedTree::take_status(int tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) {
    remove_thread(tid, status);
    return;
  }
  if (!WIFSTOPPED(status)) return;
  const auto found = threads_.find(tid);
  if (found != threads_.end()) {
    take_stop(found->second, status);
    return;
  }
  if (tid == root_ && (status >> 16) == 0) {
    // Our own child, not traced at the moment: plain job control.
    events_.push_back({TreeEvent::Kind::RootStopped, tid, WSTOPSIG(status), status});
    return;
  }
  // A child of an attached tree may report before its parent's fork event does.
  const auto pid = thread_group(tid);
  if (!pid) return;
  add_process(*pid);
  take_stop(adopt(*pid, tid), status);
}

TracedThread& TracedTree::adopt(int pid, int tid) {
  auto& thread = threads_[tid];
  thread.tid = tid;
  thread.pid = pid;
  processes_[pid].tids.insert(tid);
  return thread;
}

void TracedTree::take_stop(TracedThread& thread, int status) {
  const int event = status >> 16;
  const int signal = WSTOPSIG(status);
  switch (event) {
    case PTRACE_EVENT_STOP:
      take_event_stop(thread, signal);
      return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      take_new_child(thread);
      ptrace_call::resume(thread.tid, 0);
      return;
    case PTRACE_EVENT_EXEC: {
      // All other threads are gone; the calling thread now has the leader's id.
      auto& process = processes_[thread.pid];
      for (const int tid : process.tids) {
        if (tid != thread.tid) threads_.erase(tid);
      }
      process.tids = {thread.tid};
      ptrace_call::resume(thread.tid, 0);
      return;
    }
    case 0:
      take_signal_stop(thread, signal);
      return;
    default:
      ptrace_call::resume(thread.tid, 0);
  }
}

void TracedTree::take_event_stop(TracedThread& thread, int signal) {
  const bool wanted = freezing_ || frozen_;
  const auto registers = ptrace_call::registers(thread.tid);
  if (!registers) return;  // killed in the stop; its exit status follows
  thread.registers = *registers;
  thread.interrupted = false;
  thread.stop_signal = 0;
  thread.stop_siginfo.clear();
  if (is_stopping_signal(signal)) {
    thread.state = TracedThread::State::GroupStopped;
    if (thread.tid == root_ && !wanted) {
      events_.push_back({TreeEvent::Kind::RootStopped, thread.tid, signal, 0});
    }
  } else {
    thread.state = TracedThread::State::Stopped;
    if (restart_if_cut_short(thread.registers)) {
      ptrace_call::set_registers(thread.tid, thread.registers);
    }
  }
  if (!wanted) release(thread);
}

void TracedTree::take_signal_stop(TracedThread& thread, int signal) {
  thread.stop_signal = signal;
  thread.stop_siginfo = ptrace_call::siginfo(thread.tid).value_or(SiginfoBytes{});
  if (const auto registers = ptrace_call::registers(thread.tid)) thread.registers = *registers;
  thread.state = TracedThread::State::Stopped;
  if (freezing_ || frozen_) return;
  if (between_ == Between::Attached && would_die_of(thread, signal)) {
    events_.push_back({TreeEvent::Kind::FatalSignal, thread.tid, signal, 0});
    return;
  }
  release(thread);
}

void TracedTree::take_new_child(const TracedThread& parent) {
  const auto message = ptrace_call::event_message(parent.tid);
  if (!message) return;
  const int tid = static_cast<int>(*message);
  const auto pid = thread_group(tid);
  if (!pid) return;  // born and gone
  add_process(*pid);
  adopt(*pid, tid);
}

void TracedTree::remove_thread(int tid, int status) {
  const auto found = threads_.find(tid);
  const int pid = found != threads_.end() ? found->second.pid : tid;
  forget_thread(tid);
  const auto process = processes_.find(pid);
  if (process != processes_.end() && process->second.tids.empty() && !task_stat(pid, pid)) {
    processes_.erase(process);
  }
  if (tid == root_ && (WIFEXITED(status) || WIFSIGNALED(status))) {
    events_.push_back({TreeEvent::Kind::RootExited, tid, 0, status});
  }
}

bool TracedTree::would_die_of(const TracedThread& thread, int signal) const {
  if (is_harmless_by_default(signal)) return false;
  if (!is_core_signal(signal) && thread.pid != root_) return false;
  const auto signals = task_signals(thread.pid, thread.tid);
  if (!signals) return false;
  const std::uint64_t bit = 1ULL << static_cast<unsigned>(signal - 1);
  return (signals->caught & bit) == 0 && (signals->ignored & bit) == 0;
}

// ---- letting go -------------------------------------------------------------------------------

void TracedTree::release(TracedThread& thread) {
  const int signal = thread.stop_signal;
  thread.stop_signal = 0;
  if (between_ == Between::Detached) {
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
  for (const auto& [tid, thread] : threads_) tids.push_back(tid);
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "snapshot/tracing/inner_tracers.h"
#include "snapshot/tracing/interrupted_call.h"
#include "snapshot/tracing/limited_sleep.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/sleep_clock.h"
#include "snapshot/tracing/task_list.h"
#include "snapshot/tracing/time_left.h"

namespace icecore::snapshot {

/// One thread of the tree, as the tracer sees it.
struct TracedThread {
  enum class State {
    Running,       ///< seized, running user code or a system call
    Stopped,       ///< in a ptrace stop: registers can be read, nothing runs
    GroupStopped,  ///< the same, inside a job-control stop
    Listening,     ///< in a job-control stop between snapshots, left to its SIGCONT
    Suspended,     ///< waits for its vfork child inside the kernel; cannot run before that, nor be
                   ///< read
    Foreign,       ///< traced by somebody else, or not permitted: cannot be stopped by us
  };
  int tid = 0;
  int pid = 0;
  State state = State::Running;
  bool interrupted = false;   ///< we asked for a stop that has not come yet
  int group_stop_signal = 0;  ///< what job control has stopped it by
  int stop_signal = 0;        ///< the signal that this stop was about to deliver, 0 for none
  SiginfoBytes stop_siginfo;
  /// Valid while Stopped or GroupStopped: what the program has, after any fix-up.
  user_regs_struct registers{};
  /// A call that we cut short and that goes on with other arguments: traced until it ends.
  std::optional<InterruptedCall> call;
  /// A call with a time limit that the kernel keeps.
  std::optional<LimitedSleeps::Sleep> limited;
  /// A call with a time limit that the kernel keeps in the program's memory.
  std::optional<TimeLeft> time_left;
  int foreign_tracer = 0;
  /// What the capture has read of a stopped thread, for the way back from remote calls; empty when
  /// it has not.
  std::string xstate;
  std::optional<std::uint64_t> signal_mask;
  std::uint64_t saved_mask = 0;  ///< the signal mask while remote calls have replaced it

  /// What the thread is left with in its stop: it goes on from there if we die.
  [[nodiscard]] user_regs_struct safe_registers() const {
    return call ? call->given_up() : registers;
  }
  [[nodiscard]] bool readable() const {
    return state == State::Stopped || state == State::GroupStopped;
  }
};

struct TracedProcess {
  int pid = 0;
  int parent = 0;                ///< when the freeze began, or when it was found
  std::uint64_t start_time = 0;  ///< ticks since boot; with the pid it names the process for ever
  bool zombie = false;
  /// A child of a program that may want to trace it: never kept attached between snapshots, held
  /// after and let go before that program.
  bool left_alone = false;
  std::set<int> tids;
};

/// What dispatch() has to tell the owner of the tree.
struct TreeEvent {
  enum class Kind {
    FatalSignal,  ///< the thread is stopped just before it dies of `signal`; resume() it afterwards
    RootExited,   ///< `status` is its wait status
    RootStopped,  ///< job control has stopped the root by `signal`
  };
  Kind kind;
  int tid = 0;
  int signal = 0;
  int status = 0;
};

/// Which thread keeps a freeze from completing.
struct FreezeHoldup {
  int pid = 0;
  int tid = 0;
  std::string reason;
};

/// The processes below one root, frozen and thawed by ptrace alone: PTRACE_SEIZE and
/// PTRACE_INTERRUPT are invisible to the program and to its parents, and the kernel undoes both
/// when we die, so that a killed tracer never leaves anything frozen. Stopped tasks cannot fork,
/// hence listing and stopping until nothing new appears ends with the whole tree. All calls from
/// the thread that made it, with SIGCHLD blocked in every thread of the process.
class TracedTree {
 public:
  /// Attached keeps the tree seized between snapshots, which shows us a signal before it kills
  /// (TracerPid is then not 0); Detached leaves no trace between snapshots. What a debugger of the
  /// tree starts is not kept.
  enum class Between { Detached, Attached };

  TracedTree(int root, Between between);
  TracedTree(const TracedTree&) = delete;
  TracedTree& operator=(const TracedTree&) = delete;
  /// Thaws and detaches.
  ~TracedTree();

  /// Between::Attached: seizes what lives now. Children are then attached by the kernel at birth.
  void attach();

  /// While the tree runs, just before freeze(): notes since when threads sleep in calls whose
  /// timeout the freeze will have to restart, so that it ends when it would have.
  void note_sleepers();

  enum class Outcome { Frozen, TimedOut, Empty };
  /// Stops every thread. TimedOut leaves the tree partly stopped, with holdup() saying why: call
  /// again to go on, or thaw(). Empty: no process lives any more.
  Outcome freeze(std::chrono::nanoseconds timeout);
  [[nodiscard]] std::optional<FreezeHoldup> holdup() const;
  void thaw();

  /// Takes in what the kernel reports (after SIGCHLD) and resumes what need not stay stopped.
  /// Events come one at a time; call until nullopt.
  std::optional<TreeEvent> dispatch();
  /// Lets a thread go on after FatalSignal, with that signal.
  void resume(int tid);

  [[nodiscard]] int root() const { return root_; }
  [[nodiscard]] bool frozen() const { return frozen_; }
  [[nodiscard]] bool empty() const { return processes_.empty(); }
  [[nodiscard]] const std::map<int, TracedProcess>& processes() const { return processes_; }
  [[nodiscard]] std::map<int, TracedThread>& threads() { return threads_; }
  [[nodiscard]] const std::map<int, TracedThread>& threads() const { return threads_; }
  /// A stopped thread of `pid` fit for remote system calls, or null.
  [[nodiscard]] TracedThread* driver(int pid);
  /// PTRACE_O_* of the threads of `pid`.
  [[nodiscard]] unsigned options_for(int pid) const;

  /// Brings a thread that ran remote system calls back into the job-control stop it was in.
  void restore_group_stop(TracedThread& thread);

 private:
  void list_processes();
  bool add_children(int pid, const std::vector<int>& tids);
  [[nodiscard]] std::vector<int> known_pids() const;
  bool seize_known(bool listed, std::chrono::steady_clock::time_point deadline);
  void drop_ended();
  [[nodiscard]] bool nothing_was_born();
  bool seize_new();
  bool add_process(int pid);
  [[nodiscard]] bool is_left_alone(int parent);
  [[nodiscard]] bool keeps(int pid) const;
  bool add_thread(int pid, int tid);
  void seize_and_interrupt(TracedThread& thread);
  [[nodiscard]] bool wait_for_stops(std::chrono::steady_clock::time_point deadline);
  void take_status(int tid, int status);
  void take_stop(TracedThread& thread, int status);
  void take_event_stop(TracedThread& thread, int signal);
  void take_signal_stop(TracedThread& thread, int signal);
  void take_syscall_stop(TracedThread& thread);
  void pass_through(TracedThread& thread);
  static void undo_restart(TracedThread& thread);
  static void leave_sequence(TracedThread& thread);
  void take_interrupted_call(TracedThread& thread);
  void avoid_restart_syscall(TracedThread& thread);
  void end_overdue_calls();
  [[nodiscard]] std::optional<std::int64_t> slept_since(const TracedThread& thread) const;
  void finish_calls(std::chrono::steady_clock::time_point deadline);
  void take_new_child(const TracedThread& parent);
  TracedThread& adopt(int pid, int tid);
  void forget_thread(int tid);
  void remove_thread(int tid, int status);
  void release(TracedThread& thread);
  void mark_suspended();
  [[nodiscard]] bool would_die_of(const TracedThread& thread, int signal) const;

  int root_;
  Between between_;
  bool adopts_orphans_ = false;
  bool attached_ = false;
  bool frozen_ = false;
  bool freezing_ = false;
  bool giving_up_ = false;  ///< at the end: calls are not waited for any more
  std::map<int, TracedProcess> processes_;
  std::map<int, TracedThread> threads_;
  std::vector<TreeEvent> events_;
  std::optional<Population> population_;     ///< before the processes were last listed
  std::map<int, std::vector<int>> listed_;   ///< their threads then, by pid
  std::map<int, SleepClock::Sleep> sleeps_;  ///< by tid
  InnerTracers inner_tracers_;
  LimitedSleeps limited_sleeps_;
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gdbstub/target/execution.h"
#include "replay/live/child_signals.h"
#include "replay/live/live_process.h"
#include "replay/live/live_wishes.h"
#include "replay/live/run_observer.h"
#include "replay/live/trap_guard.h"

namespace icecore::replay {

/// Processes under a debugger: seized, driven by ptrace, told about as StopEvents. Threads are
/// stopped by PTRACE_INTERRUPT, never by SIGSTOP, so that the program does not see it. All calls
/// from the thread that made it, which is the tracer. At its end what is ours dies and what we only
/// attached to runs on.
class LiveTree {
 public:
  /// AllStop: one event stops every thread of every process. NonStop: only its own.
  enum class Mode { AllStop, NonStop };

  LiveTree() = default;
  LiveTree(const LiveTree&) = delete;
  LiveTree& operator=(const LiveTree&) = delete;
  ~LiveTree();

  // ---- processes (live_tree.cc) ----
  /// Takes over a process whose threads are all seized by this thread and stopped.
  LiveProcess& adopt(std::int32_t pid, std::span<const std::int32_t> tids,
                     LiveProcess::Ownership ownership);
  /// Seizes and stops every thread of a running process. Throws Error when that is not permitted.
  LiveProcess& attach(std::int32_t pid);
  /// Lets go: the process runs on as if nothing had been, with the signals it was about to get.
  void detach(std::int32_t pid);
  /// Ends it; returns when it is gone.
  void kill(std::int32_t pid);

  [[nodiscard]] const std::map<std::int32_t, LiveProcess>& processes() const { return processes_; }
  /// Throw Error when there is none such.
  LiveProcess& process(std::int32_t pid);
  LiveThread& thread(gdbstub::ThreadId id);
  /// The same for a thread that must be stopped.
  LiveThread& stopped_thread(gdbstub::ThreadId id);
  [[nodiscard]] LiveThread* find_thread(std::int32_t tid);

  /// Which process current_stop() tells of while none has been told of.
  void show_first(std::int32_t pid) { last_told_ = pid; }

  LiveWishes& wishes() { return wishes_; }
  /// Null for none; must outlive this.
  void observe(RunObserver* observer) { observer_ = observer; }
  [[nodiscard]] Mode mode() const { return mode_; }
  void set_mode(Mode mode) { mode_ = mode; }

  // ---- going on (live_tree_resume.cc) ----
  void resume(std::span<const gdbstub::ResumeAction> actions);
  /// Stops one running thread, which is then told as stopped by SIGINT; when none runs, at the next
  /// resume().
  void interrupt();
  /// Nobody waits for one any more.
  void forget_interrupt() { interrupt_owed_ = false; }
  /// The next thing to tell the client; nullopt when there is nothing yet.
  std::optional<gdbstub::StopEvent> next_event();
  [[nodiscard]] int event_descriptor() const { return signals_.descriptor(); }
  /// Stops every thread of every process without telling why; what happens on the way is told
  /// later.
  void stop_all();
  /// The same for a client that is new or has changed its mind: nothing is resumed any more.
  void stand_still();
  /// Why the tree stands still; not while it has no process.
  [[nodiscard]] gdbstub::StopEvent current_stop() const;
  /// Runs `work` while no thread of the process runs.
  void while_stopped(std::int32_t pid, const std::function<void()>& work);

  // ---- registers of a stopped thread, read once per stop (live_tree.cc) ----
  const user_regs_struct& registers(LiveThread& thread);
  const std::string& xstate(LiveThread& thread);
  void set_xstate(LiveThread& thread, const std::string& image);
  void set_registers(LiveThread& thread, const user_regs_struct& registers);
  /// Puts the debug registers of its process into a stopped thread.
  void apply_watches(const LiveThread& thread);
  /// The same for all of its threads, which are stopped for it.
  void apply_watches(LiveProcess& process);

 private:
  using Clock = std::chrono::steady_clock;
  enum class After { Run, Hold };

  // What the kernel reports (live_tree_stops.cc).
  void take_status(const ChildSignals::Status& reported);
  After take_stop(LiveThread& thread, int status);
  After take_event_stop(LiveThread& thread, int signal);
  After take_signal_stop(LiveThread& thread, int signal);
  After take_trap(LiveThread& thread);
  [[nodiscard]] std::optional<After> take_watch(LiveThread& thread);
  After take_breakpoint(LiveThread& thread, std::uint64_t address);
  After take_step(LiveThread& thread);
  static void leave_stepping(LiveThread& thread, int told_as);
  After take_system_call(LiveThread& thread);
  After take_caught_call(LiveThread& thread);
  // Births and ends (live_tree_births.cc).
  After take_fork(LiveThread& thread, gdbstub::Forked::Kind kind);
  After take_clone(LiveThread& thread);
  After take_execution(LiveThread& thread);
  void take_new_thread(LiveThread& parent, std::int32_t tid);
  LiveProcess& take_new_process(const LiveThread& parent, std::int32_t pid,
                                std::shared_ptr<LiveMemory> memory);
  void remove_thread(std::int32_t tid, int status);
  /// False when the newborn has died at once.
  [[nodiscard]] bool wait_for_birth(std::int32_t tid);
  void let_go(std::int32_t pid);
  /// Of a process that we only attached to; null for others.
  [[nodiscard]] TrapGuard* guard_of(const LiveProcess& process) const;

  // Running and stopping.
  void run(LiveThread& thread);
  [[nodiscard]] bool take_signal_by_observer(LiveThread& thread, int signal);
  void run_wanted();
  void step_over(LiveThread& thread);
  void wait_for_step(std::int32_t tid);
  static void stop(LiveThread& thread);
  void wait_for_stops(const std::function<bool(const LiveThread&)>& concerned);
  void mark_suspended();
  [[nodiscard]] LiveThread* next_to_tell();
  std::optional<gdbstub::StopEvent> tell_one();
  void settle(const LiveThread* told);
  void drop_stale(LiveThread& thread);
  [[nodiscard]] bool anything_wanted() const;

  Mode mode_ = Mode::AllStop;
  LiveWishes wishes_;
  std::unique_ptr<TrapGuard> guard_;  ///< null while nothing was attached to; outlives processes_
  RunObserver* observer_ = nullptr;
  ChildSignals signals_;
  std::map<std::int32_t, LiveProcess> processes_;
  std::map<std::int32_t, std::int32_t> process_of_;  ///< tid -> pid
  std::map<std::int32_t, int> early_;                ///< statuses of tasks that nobody told us of
  std::deque<gdbstub::StopEvent> ended_;             ///< exits that the client does not know
  std::vector<gdbstub::ResumeAction> actions_;       ///< of the last resume, for the newborn
  std::int32_t last_told_ = 0;                       ///< tid, so that others get their turn
  /// An interrupt that no stop has answered: something else was told first, and the client waits
  /// for this one still.
  bool interrupt_owed_ = false;
  /// Threads stay in their stops whatever they are: all are being stopped.
  bool holding_ = false;
};

}  // namespace icecore::replay

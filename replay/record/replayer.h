// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/record/event_log.h"
#include "replay/record/process_copy.h"
#include "replay/record/watched_memory.h"

namespace icecore::replay {

/// A replayed process did something else than the recorded one.
class ReplayDiverged : public Error {
 public:
  ReplayDiverged(std::uint64_t event, const std::string& what);
};

/// Where a replayed process shall stop, besides the end of what was recorded.
struct StopSet {
  std::set<std::uint64_t> breakpoints;
  std::vector<WatchedMemory> watches;
  /// When all events before this number have happened.
  std::uint64_t event_limit = ~0ULL;
};

/// What a replayed process stopped for.
struct Arrival {
  enum class Kind { Breakpoint, Watchpoint, EventLimit, LogEnd, Stepped };
  Kind kind = Kind::Stepped;
  WatchedMemory watch;  ///< Watchpoint: which one
};

/// Runs a copy of the recorded process again. Its system calls are answered from the log and never
/// made, but those that change its memory's layout; its signals and clock readings come from the
/// log; it sees none of the world. All from the tracing thread.
///
/// It does the same as the recorded process because everything that reaches a process from outside
/// is an event: what the CPU computes in between depends on registers and memory alone. Wherever
/// that can be checked (each call's number and arguments) it is; a difference throws
/// ReplayDiverged.
class Replayer {
 public:
  /// `process` is a copy from behind event `next_event` - 1. `log` outlives this.
  Replayer(std::unique_ptr<ProcessCopy> process, const EventLog& log, std::uint64_t next_event,
           std::uint64_t syscall_instruction);

  [[nodiscard]] int pid() const { return process_->pid(); }
  [[nodiscard]] const TracedMemory& memory() const { return process_->memory(); }
  [[nodiscard]] user_regs_struct registers() const;
  /// The event that it meets next.
  [[nodiscard]] std::uint64_t next_event() const { return next_event_; }

  /// Runs on until something of `stops` happens; a breakpoint at which it stands already is left
  /// first. An interruption at Place::Anywhere is an event limit: where it comes is not known here.
  Arrival run(const StopSet& stops);
  /// The next event, an interruption at Place::Anywhere, comes here: only who counts knows where.
  void interrupt();
  /// One instruction; a call with its answer, and the way into a signal handler, are one as well.
  Arrival step(const std::vector<WatchedMemory>& watches = {});
  /// Its watch registers, for whoever runs the process by other means between two runs of this.
  WatchRegisters& watch_registers() { return watches_; }
  /// A copy of it as it stands.
  std::unique_ptr<ProcessCopy> copy() const;
  /// Gives the process away.
  std::unique_ptr<ProcessCopy> release() { return std::move(process_); }

 private:
  Arrival run_on(const StopSet& stops);
  std::optional<Arrival> take_stop(int status, const StopSet& stops);
  std::optional<Arrival> take_trap(const StopSet& stops);
  std::optional<Arrival> take_fault(int signal);
  std::optional<Arrival> take_call();
  std::optional<Arrival> watched_change();
  bool take_due_interruption();
  /// PUSHF under a single step pushes the flag of the step.
  void hide_trap_flag(std::uint64_t pc, bool short_form) const;

  void apply(const RecordedCall& call);
  void apply(const LayoutCall& layout);
  void apply(const SignalReturn& done);
  void apply(const Interruption& taken);
  void apply(const TimestampRead& read);
  void expect(const RecordedCall& call) const;
  void finish(const RecordedCall& call);
  void write(const std::vector<MemoryWrite>& writes) const;

  /// From the stop at the entry to a call that was answered to one like any other: whoever lets the
  /// process make a call of ours next would take the exit of the answered one for its own.
  void leave_call_stop();
  void insert_breakpoints(const StopSet& stops);
  void remove_breakpoints();
  [[noreturn]] void diverged(const std::string& what) const;

  std::unique_ptr<ProcessCopy> process_;
  const EventLog& log_;
  std::uint64_t next_event_;
  std::uint64_t syscall_instruction_;
  bool in_call_stop_ = false;
  std::map<std::uint64_t, std::byte> inserted_;
  WatchRegisters watches_;
};

}  // namespace icecore::replay

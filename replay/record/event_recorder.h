// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "replay/record/binding_patch.h"
#include "replay/record/event_log.h"
#include "replay/record/process_copy.h"
#include "replay/record/syscall_table.h"
#include "replay/record/vdso_patch.h"

namespace icecore::replay {

/// Keeps what a single-threaded process meets. Whoever resumes the process does so to the next
/// system call (ptrace_call::resume_to_syscall), never steps over a `syscall` instruction, and
/// tells of every stop that this class names, before it resumes. All from the tracing thread.
///
/// What cannot be kept (a second thread, memory written by the kernel at any time, ...) makes a
/// gap: recording goes on behind it, but nothing can be replayed across it, so the caller forgets
/// what was before.
class EventRecorder {
 public:
  /// Process `pid` is stopped in front of an instruction; from now on its clock readings are seen.
  /// `log` outlives this.
  /// TimeStamps::Seen: reading the time stamp counter traps, which a process keeps when its tracer
  /// dies; so it is for processes that die with it.
  enum class TimeStamps { Seen, Unseen };
  EventRecorder(int pid, EventLog& log, TimeStamps stamps = TimeStamps::Seen);
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  /// Stopped at the entry to a system call, or at its exit.
  void call_entered();
  void call_returned();
  /// Thread `tid` is stopped by SIGSEGV. Whether that was an instruction that reads the time stamp
  /// counter; it has then been done, and the signal must not be delivered.
  bool timestamp_read(int tid);
  /// The same in a process that inherited the trap and is not recorded: it is done, and forgotten.
  static bool skip_timestamp_read(int tid);
  /// Stopped by a signal that the program handles and shall get: it is delivered, and the process
  /// is stopped in front of its handler. False when the program does not handle it: then the
  /// caller delivers it.
  bool deliver(int signal);
  /// Whether that would be in the middle of a computation, by what the program had no part in.
  [[nodiscard]] bool comes_anywhere(int signal) const;
  /// A debugger is about to write these bytes, or has changed registers that were `before` and
  /// `xstate_before`. Not inside a call (as to registers).
  void memory_changes(MemoryWrite write);
  void registers_changed(const user_regs_struct& before, std::string xstate_before);

  /// The process is stopped and will run unrecorded: all is as the program made it.
  void end();
  /// The same for a child of the process, which inherits what was set for it. It is stopped before
  /// its first instruction.
  void free_child(int child) const;
  /// Process `pid`, stopped, reads the time stamp counter by itself again.
  static void end_timestamp_trap(int pid);
  [[nodiscard]] TimeStamps stamps() const { return stamps_; }
  /// What comes is recorded as if nothing had been before.
  void begin_anew();

  /// Why events up to now cannot lead to what comes behind; asked once after each stop.
  std::optional<std::string> take_gap();
  /// Inside a call that was cut short and has not come back.
  [[nodiscard]] bool inside_call() const { return entered_.has_value(); }
  [[nodiscard]] std::uint64_t syscall_instruction() const { return syscall_instruction_; }

 private:
  void keep(RecordedCall call, const SyscallRow& row, const user_regs_struct& after);
  void keep_compared(RecordedCall call);
  [[nodiscard]] bool handles(int signal) const;
  [[nodiscard]] Interruption interruption(const user_regs_struct& registers) const;
  void set_timestamp_trap(int pid, int mode) const;

  int pid_;
  EventLog& log_;
  TracedMemory memory_;
  VdsoPatch vdso_;
  BindingPatch binding_;
  TimeStamps stamps_;
  cpu_set_t cpus_{};  ///< where the program itself wants to run
  std::uint64_t syscall_instruction_ = 0;
  std::optional<RecordedCall> entered_;
  std::unique_ptr<ProcessCopy> before_call_;
  /// Registers behind the last event, until the process runs on.
  std::optional<user_regs_struct> behind_event_;
  std::optional<std::string> gap_;
};

}  // namespace icecore::replay

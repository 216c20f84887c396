// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "snapshot/tracing/call_timeout.h"
#include "snapshot/tracing/tracer_alarm.h"

namespace icecore::snapshot {

/// A system call that our stop cut short and that cannot simply be started again: its timeout would
/// begin anew, or part of its data has been transferred. It goes on with changed arguments, and the
/// thread stays traced until the call ends; then the program gets its own argument registers back
/// and the result that it would have had.
///
/// Which calls: those that CallTimeout finds a timeout of, and writes and MSG_WAITALL reads that
/// were partly done. All others need nothing (the kernel restarts them with the time that is left)
/// or only restart_if_cut_short(). Where the timeout is an option of a socket, which others share,
/// it is not changed: the call begins anew, and we end it when its time is over.
class InterruptedCall {
 public:
  /// Looks at the registers of thread `tid` at a stop of ours. nullopt: nothing of this kind.
  /// `slept_since_ns` is when the call began to wait (CLOCK_MONOTONIC), if that is known; otherwise
  /// the timeout counts from now, and ends late rather than early.
  static std::optional<InterruptedCall> find(int pid, const user_regs_struct& registers,
                                             std::optional<std::int64_t> slept_since_ns);

  /// Of a sleep that the kernel would go on with by restart_syscall, which it must not be asked for
  /// here. nullopt: begun again as it is, by -ERESTARTNOHAND, it ends when it should.
  static std::optional<InterruptedCall> instead_of_restart(
      int pid, const user_regs_struct& registers, std::optional<std::int64_t> slept_since_ns);

  /// Whether the call of `registers`, which has ended, should have transferred more.
  static bool is_part_done(int pid, const user_regs_struct& registers);

  /// Whether it is for us to end it, and the time has come: interrupt the thread.
  [[nodiscard]] bool is_overdue() const;
  /// At the stop that follows: the registers of the call that has timed out.
  [[nodiscard]] user_regs_struct timed_out(user_regs_struct registers) const;

  /// What the program should be seen with: its own arguments.
  [[nodiscard]] user_regs_struct shown(user_regs_struct registers) const;
  /// What the thread is to be resumed with, so that the call goes on; writes helper data below the
  /// stack's red zone where needed. nullopt when that is impossible: the call then ends short.
  [[nodiscard]] std::optional<user_regs_struct> going_on(int pid) const;
  /// The registers for the program once the call has ended with `registers`, by itself or by a
  /// signal: the part that was transferred is then the result, as without us.
  [[nodiscard]] user_regs_struct ended(user_regs_struct registers) const;
  /// The registers to leave the thread with when we cannot wait for the end of the call.
  [[nodiscard]] user_regs_struct given_up() const;

 private:
  enum class Kind { Timeout, Transfer };

  InterruptedCall(Kind kind, const user_regs_struct& registers)
      : kind_(kind), original_(registers) {}

  static std::optional<InterruptedCall> find_timeout(int pid, const user_regs_struct& registers,
                                                     std::optional<std::int64_t> slept_since_ns);
  static InterruptedCall with_timeout(const CallTimeout& timeout, const user_regs_struct& registers,
                                      std::optional<std::int64_t> slept_since_ns);
  static std::optional<InterruptedCall> find_transfer(int pid, const user_regs_struct& registers);
  [[nodiscard]] std::optional<user_regs_struct> with_time_left(int pid) const;

  Kind kind_;
  user_regs_struct original_;  ///< with the program's arguments; rip behind the instruction
  std::int64_t deadline_ns_ = 0;
  CallTimeout timeout_;
  std::shared_ptr<TracerAlarm> alarm_;  ///< for a timeout that we keep ourselves
  std::uint64_t transferred_ = 0;
};

/// True for results that only a tracer sees or that mean "interrupted": -EINTR, -ERESTART*.
bool is_interruption(long result);

/// The kernel has set the thread back to its `syscall` instruction to start the call again, and was
/// interrupted before it got there: rax is the number of the call, not a result.
bool is_starting_again(int pid, const user_regs_struct& registers);
/// As the registers were before that: behind the instruction, cut short.
user_regs_struct before_starting_again(user_regs_struct registers);

}  // namespace icecore::snapshot

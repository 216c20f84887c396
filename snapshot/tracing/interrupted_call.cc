// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/interrupted_call.h"

#include <limits.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "base/clock.h"
#include "snapshot/tracing/partial_transfer.h"
#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/syscall_restart.h"

namespace icecore::snapshot {
bool is_interruption(long result) {
  constexpr long kFirstRestart = 512;  // ERESTARTSYS
  constexpr long kLastRestart = 516;   // ERESTART_RESTARTBLOCK
  return result == -EINTR || (result <= -kFirstRestart && result >= -kLastRestart);
}

bool is_starting_again(int pid, const user_regs_struct& registers) {
  const auto number = static_cast<long>(registers.orig_rax);
  const bool is_number =
      registers.rax == registers.orig_rax || registers.rax == SYS_restart_syscall;
  // The processor leaves the address behind the instruction in rcx (only FRED does not).
  if (number < 0 || !is_number || registers.rcx == registers.rip) return false;
  std::array<std::byte, 2> code{};
  return read_process(pid, registers.rip, code) && code[0] == std::byte{0x0f} &&
         code[1] == std::byte{0x05};
}

user_regs_struct before_starting_again(user_regs_struct registers) {
  registers.rip += 2;
  registers.rax = static_cast<unsigned long long>(-kErestartNoHand);
  return registers;
}

std::optional<InterruptedCall> InterruptedCall::find(int pid, const user_regs_struct& registers,
                                                     std::optional<std::int64_t> slept_since_ns) {
  if (static_cast<long>(registers.orig_rax) < 0) return std::nullopt;
  const long result = static_cast<long>(registers.rax);
  // io_pgetevents alone of its kind is restarted by the kernel, but with its whole timeout.
  const bool whole = result == -kErestartNoHand && registers.orig_rax == SYS_io_pgetevents;
  if (result == -EINTR || whole) return find_timeout(pid, registers, slept_since_ns);
  if (result <= 0 || is_starting_again(pid, registers)) return std::nullopt;
  return find_transfer(pid, registers);
}

std::optional<InterruptedCall> InterruptedCall::find_timeout(
    int pid, const user_regs_struct& registers, std::optional<std::int64_t> slept_since_ns) {
  const auto timeout = CallTimeout::find(pid, registers);
  if (!timeout) return std::nullopt;
  return with_timeout(*timeout, registers, slept_since_ns);
}

std::optional<InterruptedCall> InterruptedCall::instead_of_restart(
    int pid, const user_regs_struct& registers, std::optional<std::int64_t> slept_since_ns) {
  const auto timeout = CallTimeout::find_of_sleep(pid, registers);
  if (!timeout) return std::nullopt;
  return with_timeout(*timeout, registers, slept_since_ns);
}

InterruptedCall InterruptedCall::with_timeout(const CallTimeout& timeout,
                                              const user_regs_struct& registers,
                                              std::optional<std::int64_t> slept_since_ns) {
  InterruptedCall call(Kind::Timeout, registers);
  call.timeout_ = timeout;
  call.deadline_ns_ = slept_since_ns.value_or(monotonic_ns()) + timeout.nanoseconds;
  if (timeout.form == CallTimeout::Form::SocketOption) {
    call.alarm_ = std::make_shared<TracerAlarm>(call.deadline_ns_);
  }
  return call;
}

std::optional<InterruptedCall> InterruptedCall::find_transfer(int pid,
                                                              const user_regs_struct& registers) {
  if (!is_part_done(pid, registers)) return std::nullopt;
  InterruptedCall call(Kind::Transfer, registers);
  call.transferred_ = registers.rax;
  return call;
}

bool InterruptedCall::is_part_done(int pid, const user_regs_struct& registers) {
  return static_cast<long>(registers.rax) > 0 && registers.rax < asked_for(pid, registers) &&
         always_does_all(pid, registers);
}

bool InterruptedCall::is_overdue() const {
  return alarm_ != nullptr && monotonic_ns() >= deadline_ns_;
}

user_regs_struct InterruptedCall::timed_out(user_regs_struct registers) const {
  registers = shown(registers);
  registers.rax = static_cast<unsigned long long>(timeout_.result);
  return registers;
}

user_regs_struct InterruptedCall::shown(user_regs_struct registers) const {
  for (int i = 0; i < 6; ++i) call_argument(registers, i) = call_argument(original_, i);
  registers.rax = static_cast<unsigned long long>(-kErestartNoHand);
  return registers;
}

std::optional<user_regs_struct> InterruptedCall::going_on(int pid) const {
  return kind_ == Kind::Timeout ? with_time_left(pid)
                                : with_rest_only(pid, shown(original_), transferred_);
}

std::optional<user_regs_struct> InterruptedCall::with_time_left(int pid) const {
  user_regs_struct registers = shown(original_);
  if (timeout_.form == CallTimeout::Form::SocketOption) return registers;
  auto& argument = call_argument(registers, timeout_.argument);
  const std::int64_t left = std::max<std::int64_t>(deadline_ns_ - monotonic_ns(), 0);
  if (timeout_.form == CallTimeout::Form::Milliseconds) {
    // Rounded up: late by a millisecond rather than early.
    const std::int64_t milliseconds = std::min<std::int64_t>((left + 999'999) / 1'000'000, INT_MAX);
    argument = static_cast<unsigned long long>(milliseconds);
    return registers;
  }
  timespec time{left / 1'000'000'000, left % 1'000'000'000};
  if (timeout_.form == CallTimeout::Form::Timeval) {
    const std::int64_t microseconds = (left + 999) / 1000;
    time = {microseconds / 1'000'000, microseconds % 1'000'000};
  }
  const std::uint64_t place = place_below_stack(registers, sizeof time);
  if (!write_process(pid, place, std::as_bytes(std::span(&time, 1)))) return std::nullopt;
  if (timeout_.form != CallTimeout::Form::RingArgument) {
    argument = place;
    return registers;
  }
  io_uring_getevents_arg ring{};
  if (!read_process(pid, argument, std::as_writable_bytes(std::span(&ring, 1)))) {
    return std::nullopt;
  }
  ring.ts = place;
  const std::uint64_t ring_place = (place - sizeof ring) & ~15ULL;
  if (!write_process(pid, ring_place, std::as_bytes(std::span(&ring, 1)))) return std::nullopt;
  argument = ring_place;
  return registers;
}

user_regs_struct InterruptedCall::ended(user_regs_struct registers) const {
  const unsigned long long result = registers.rax;
  registers = shown(registers);
  registers.rax = result;
  if (kind_ == Kind::Transfer) {
    // An error after a part: the part is the result, as the kernel itself does it.
    const bool failed = static_cast<long>(result) < 0;
    registers.rax = transferred_ + (failed ? 0 : result);
  } else if (static_cast<long>(result) == -kErestartNoHand &&
             original_.orig_rax != SYS_io_pgetevents) {
    // It was us who put that there instead of -EINTR; for job control the kernel would have left
    // it.
    registers.rax = static_cast<unsigned long long>(-EINTR);
  }
  return registers;
}

user_regs_struct InterruptedCall::given_up() const {
  user_regs_struct registers = shown(original_);
  if (kind_ == Kind::Transfer) registers.rax = transferred_;
  return registers;
}

}  // namespace icecore::snapshot

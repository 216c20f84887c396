// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/error.h"
#include "replay/restore/thread_builder.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

constexpr std::int64_t kRestartBlock = -516;  // ERESTART_RESTARTBLOCK of the kernel

timespec rest_of(const timespec& limit, std::int64_t slept_ns) {
  const std::int64_t rest =
      std::max<std::int64_t>(limit.tv_sec * kNsPerSecond + limit.tv_nsec - slept_ns, 0);
  return {rest / kNsPerSecond, rest % kNsPerSecond};
}

/// The call with what is left of its time; its timespec, if it has one, goes to scratch memory.
RemoteCall with_rest(Puppet& puppet, const user_regs_struct& registers,
                     const model::SystemCall& was) {
  const std::int64_t slept_ns = was.slept_ns();
  // By the registers it may be restart_syscall, after an earlier interruption.
  RemoteCall call{
      was.number(),
      {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9},
      0};
  const auto shorten = [&](std::size_t argument) {
    timespec limit{};
    puppet.read(call.arguments[argument], std::as_writable_bytes(std::span(&limit, 1)));
    limit = rest_of(limit, slept_ns);
    puppet.write(puppet.scratch(), std::as_bytes(std::span(&limit, 1)));
    call.arguments[argument] = puppet.scratch();
  };
  switch (call.number) {
    case SYS_nanosleep:
      shorten(0);
      break;
    case SYS_clock_nanosleep:
      shorten(2);
      break;
    case SYS_futex:
      shorten(3);
      break;
    case SYS_poll: {
      const auto limit = static_cast<std::int32_t>(registers.rdx);
      const auto slept = static_cast<std::int32_t>(slept_ns / 1'000'000);
      if (limit > 0) call.arguments[2] = static_cast<std::uint32_t>(std::max(limit - slept, 0));
      break;
    }
    default:
      throw Error("system call " + std::to_string(call.number) +
                  " was asleep with a time limit in a way that is not known");
  }
  return call;
}

}  // namespace

std::string resume_limited_call(RestoredProcess& process, const model::Thread& thread, int tid) {
  user_regs_struct registers{};
  std::memcpy(&registers, thread.registers().data(),
              std::min(sizeof registers, thread.registers().size()));
  if (static_cast<std::int64_t>(registers.rax) != kRestartBlock ||
      static_cast<std::int64_t>(registers.orig_rax) < 0) {
    return thread.registers();
  }
  const auto call = with_context("thread " + std::to_string(inner_tid(thread)), [&] {
    return with_rest(process.puppet, registers, thread.system_call());
  });
  const std::int64_t result = process.puppet.begin_and_interrupt(tid, call);
  if (result != kRestartBlock) {
    // It ended at once: the time is over, or what it waited for has come.
    registers.rax = static_cast<std::uint64_t>(result);
    registers.orig_rax = ~0ULL;
  }
  std::string bytes(sizeof registers, '\0');
  std::memcpy(bytes.data(), &registers, sizeof registers);
  return bytes;
}

}  // namespace icecore::replay

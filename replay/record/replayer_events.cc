// SPDX-License-Identifier: Apache-2.0
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "replay/record/replayer.h"
#include "replay/record/syscall_rules.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

// What each kind of event does to a replayed process, which stands where the event met the recorded
// one.

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::inject_call;
using snapshot::registers_of;
using snapshot::set_registers;

namespace {

/// The call with which a replayed process gets the same memory at the same addresses.
RecordedCall with_fixed_addresses(const RecordedCall& recorded) {
  RecordedCall call = recorded;
  const auto result = static_cast<std::uint64_t>(recorded.result);
  if (call.number == SYS_mmap) {
    // What a file held is written into memory of its own: the file may not be there any more.
    const std::uint64_t kept =
        call.arguments[3] & (MAP_GROWSDOWN | MAP_STACK | MAP_NORESERVE | MAP_HUGETLB | 0xfc000000U);
    call.arguments[0] = result;
    call.arguments[3] = kept | MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    call.arguments[4] = ~0ULL;
    call.arguments[5] = 0;
  } else if (call.number == SYS_mremap && result != call.arguments[0]) {
    call.arguments[3] |= MREMAP_MAYMOVE | MREMAP_FIXED;
    call.arguments[4] = result;
  }
  return call;
}

}  // namespace

void Replayer::expect(const RecordedCall& call) const {
  const user_regs_struct now = registers_of(pid());
  const auto number = static_cast<std::int64_t>(now.orig_rax);
  if (number != call.number || now.rip != call.next) {
    diverged(syscall_name(number) + " instead of " + syscall_name(call.number));
  }
  const std::array<std::uint64_t, 6> arguments{now.rdi, now.rsi, now.rdx, now.r10, now.r8, now.r9};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == call.arguments[i]) continue;
    diverged(syscall_name(number) + " with " + std::to_string(arguments[i]) + " instead of " +
             std::to_string(call.arguments[i]) + " as argument " + std::to_string(i));
  }
}

void Replayer::write(const std::vector<MemoryWrite>& writes) const {
  for (const auto& one : writes) memory().write(one.address, one.bytes);
}

/// As the kernel leaves registers behind a call: rcx and r11 are where the CPU puts rip and flags.
void Replayer::finish(const RecordedCall& call) {
  constexpr unsigned long long kTrapFlag = 0x100;
  user_regs_struct registers = registers_of(pid());
  registers.rax = static_cast<std::uint64_t>(call.result);
  registers.orig_rax = ~0ULL;
  registers.rcx = call.next;
  registers.r11 = registers.eflags & ~kTrapFlag;
  if (call.number == SYS_arch_prctl && call.result == 0) {
    if (call.arguments[0] == ARCH_SET_FS) registers.fs_base = call.arguments[1];
    if (call.arguments[0] == ARCH_SET_GS) registers.gs_base = call.arguments[1];
  }
  set_registers(pid(), registers);
}

void Replayer::apply(const RecordedCall& call) {
  expect(call);
  write(call.writes);
  finish(call);
}

void Replayer::apply(const LayoutCall& layout) {
  expect(layout.call);
  const bool failed = layout.call.result < 0 && layout.call.result > -4096;
  // A segment's base is a register to the tracer.
  if (!failed && layout.call.number != SYS_arch_prctl) {
    const RecordedCall made = with_fixed_addresses(layout.call);
    const auto done = inject_call(pid(), syscall_instruction_, made.number, made.arguments);
    if (done.result != made.result)
      diverged(syscall_name(made.number) + " came back with " + std::to_string(done.result) +
               " instead of " + std::to_string(made.result));
    if (!layout.content.empty()) {
      memory().write(static_cast<std::uint64_t>(made.result), layout.content);
    }
  }
  finish(layout.call);
}

void Replayer::apply(const SignalReturn& done) {
  const user_regs_struct now = registers_of(pid());
  if (static_cast<std::int64_t>(now.orig_rax) != SYS_rt_sigreturn || now.rip != done.next) {
    diverged(syscall_name(static_cast<std::int64_t>(now.orig_rax)) + " instead of rt_sigreturn");
  }
  set_registers(pid(), done.registers);
  ptrace_call::set_xstate(pid(), done.xstate);
}

void Replayer::apply(const Interruption& taken) {
  write(taken.writes);
  set_registers(pid(), taken.after);
  ptrace_call::set_xstate(pid(), taken.xstate);
}

void Replayer::apply(const TimestampRead& read) {
  user_regs_struct registers = registers_of(pid());
  std::byte second{};
  memory().read(read.address + 1, std::span(&second, 1));
  const bool with_aux = second == std::byte{0x01};
  registers.rax = read.value & 0xffffffffU;
  registers.rdx = read.value >> 32U;
  if (with_aux) registers.rcx = read.aux;
  registers.rip += with_aux ? 3 : 2;
  registers.orig_rax = ~0ULL;
  set_registers(pid(), registers);
}

}  // namespace icecore::replay

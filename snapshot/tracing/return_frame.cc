// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/return_frame.h"

#include <cstring>

namespace icecore::snapshot {
namespace {

// Offsets from the frame's start, all of the kernel's x86-64 ABI.
constexpr std::size_t kFlags = 8;
constexpr std::size_t kContext = 48;
constexpr std::size_t kFloatingPointer = kContext + 184;
constexpr std::size_t kMask = kContext + 256;
constexpr std::size_t kFrameSize = 8 + 304 + 128;
constexpr std::size_t kFloatingState = (kFrameSize + 63) / 64 * 64;

// UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS. The alternate stack in the frame is left
// all zero: too small to be valid, so that the kernel keeps the one that there is.
constexpr std::uint64_t kFrameFlags = 1 | 2 | 4;

constexpr std::size_t kSoftwareBytes = 464;  // in the legacy area of the XSAVE image
constexpr std::uint32_t kMagic1 = 0x46505853;
constexpr std::uint32_t kMagic2 = 0x46505845;

template <typename Integer>
void put(std::vector<std::byte>& bytes, std::size_t at, Integer value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// The kernel restarts a call in its exit path, which a return by frame does not pass: do it here.
/// rt_sigreturn forgets what restart_syscall would need, so that a sleep begins anew.
user_regs_struct restarted(user_regs_struct registers) {
  constexpr int kFirstRestart = 512;
  constexpr int kLastRestart = 516;
  if (static_cast<long>(registers.orig_rax) < 0) return registers;
  const long result = -static_cast<long>(registers.rax);
  if (result < kFirstRestart || result > kLastRestart) return registers;
  registers.rax = registers.orig_rax;
  registers.rip -= 2;
  return registers;
}

void put_floating_state(std::vector<std::byte>& bytes, const std::string& xstate) {
  std::memcpy(bytes.data() + kFloatingState, xstate.data(), xstate.size());
  const auto size = static_cast<std::uint32_t>(xstate.size());
  // ptrace puts XCR0 where a signal frame has its own description of the image.
  std::uint64_t features = 0;
  std::memcpy(&features, xstate.data() + kSoftwareBytes, sizeof features);
  const std::size_t software = kFloatingState + kSoftwareBytes;
  put<std::uint32_t>(bytes, software, kMagic1);
  put<std::uint32_t>(bytes, software + 4, size + 4);
  put<std::uint64_t>(bytes, software + 8, features);
  put<std::uint32_t>(bytes, software + 16, size);
  put<std::uint32_t>(bytes, kFloatingState + size, kMagic2);
}

}  // namespace

std::vector<std::byte> make_return_frame(const user_regs_struct& registers,
                                         const std::string& xstate, std::uint64_t mask,
                                         std::uint64_t address, std::uint64_t return_to) {
  const user_regs_struct r = restarted(registers);
  std::vector<std::byte> bytes(kFloatingState + xstate.size() + sizeof kMagic2);
  put(bytes, 0, return_to);
  put(bytes, kFlags, kFrameFlags);
  const unsigned long long general[] = {r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13,
                                        r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx,
                                        r.rdx, r.rax, r.rcx, r.rsp, r.rip, r.eflags};
  std::memcpy(bytes.data() + kContext, general, sizeof general);
  const std::uint16_t segments[] = {
      static_cast<std::uint16_t>(r.cs), static_cast<std::uint16_t>(r.gs),
      static_cast<std::uint16_t>(r.fs), static_cast<std::uint16_t>(r.ss)};
  std::memcpy(bytes.data() + kContext + sizeof general, segments, sizeof segments);
  put(bytes, kMask, mask);
  constexpr std::size_t kSmallestXsave = 576;
  if (xstate.size() >= kSmallestXsave) {
    put<std::uint64_t>(bytes, kFloatingPointer, address + kFloatingState);
    put_floating_state(bytes, xstate);
  }
  return bytes;
}

}  // namespace icecore::snapshot

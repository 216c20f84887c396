// SPDX-License-Identifier: Apache-2.0
#include "replay/record/seen_registers.h"

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace icecore::replay {

user_regs_struct as_seen(user_regs_struct registers) {
  // include/linux/errno.h: ERESTARTSYS to ERESTART_RESTARTBLOCK.
  const auto result = static_cast<std::int64_t>(registers.rax);
  const bool cut_short = static_cast<std::int64_t>(registers.orig_rax) >= 0 && result <= -512 &&
                         result >= -516 && result != -515;
  if (cut_short) {
    registers.rip -= 2;
    registers.rax = registers.orig_rax;
  }
  registers.orig_rax = ~0ULL;
  return registers;
}

bool equal_registers(const user_regs_struct& one, const user_regs_struct& other) {
  user_regs_struct first = one;
  user_regs_struct second = other;
  for (auto* registers : {&first, &second}) {
    constexpr unsigned long long kTrapFlag = 0x100;
    constexpr unsigned long long kResumeFlag = 0x10000;
    registers->orig_rax = 0;
    registers->eflags &= ~(kTrapFlag | kResumeFlag);
  }
  return std::memcmp(&first, &second, sizeof first) == 0;
}

bool equal_xstate(const std::string& one, const std::string& other) {
  constexpr std::size_t kInUse = 512;  // XSTATE_BV, the first word of the header
  constexpr std::size_t kBehind = kInUse + 8;
  if (one.size() != other.size() || one.size() < kBehind) return one == other;
  return one.compare(0, kInUse, other, 0, kInUse) == 0 &&
         one.compare(kBehind, std::string::npos, other, kBehind) == 0;
}

}  // namespace icecore::replay

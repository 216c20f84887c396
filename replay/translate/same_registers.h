// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <tuple>

namespace icecore::replay {

/// Whether the sixteen general registers and the pc are equal. Not the flags: those that an
/// instruction leaves undefined, and the trap flag, may differ between equal executions.
inline bool same_registers(const user_regs_struct& one, const user_regs_struct& other) {
  const auto key = [](const user_regs_struct& r) {
    return std::tie(r.rip, r.rax, r.rcx, r.rdx, r.rbx, r.rsi, r.rdi, r.rsp, r.rbp, r.r8, r.r9,
                    r.r10, r.r11, r.r12, r.r13, r.r14, r.r15);
  };
  return key(one) == key(other);
}

}  // namespace icecore::replay

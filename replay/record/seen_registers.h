// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <string>

namespace icecore::replay {

/// The registers as the program sees them at its next instruction: a call that was cut short and
/// will be made again has not begun yet.
user_regs_struct as_seen(user_regs_struct registers);
/// Compares what the program sees: not orig_rax, and not the flag of our own single steps.
bool equal_registers(const user_regs_struct& one, const user_regs_struct& other);

/// Compares two XSAVE images as xstate_of() gives them: what the registers hold, not which of them
/// the CPU takes for used.
bool equal_xstate(const std::string& one, const std::string& other);

}  // namespace icecore::replay

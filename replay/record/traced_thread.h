// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <string>

namespace icecore::replay {

/// What recording and replaying ask of a thread that cannot be gone: they throw when it is.

[[noreturn]] void throw_gone(int tid);
/// Waits for the next stop; its wait status.
int await_stop(int tid);
user_regs_struct registers_of(int tid);
void set_registers(int tid, const user_regs_struct& registers);
std::string xstate_of(int tid);

/// The registers as the program sees them at its next instruction: a call that was cut short and
/// will be made again has not begun yet.
user_regs_struct as_seen(user_regs_struct registers);
/// Compares what the program sees: not orig_rax, and not the flag of our own single steps.
bool equal_registers(const user_regs_struct& one, const user_regs_struct& other);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <string>

namespace icecore::snapshot {

/// A traced thread that is ours to run and cannot be gone unless somebody killed it: these throw
/// when it is. All from the thread that traces it.

[[noreturn]] void throw_gone(int tid);
/// Waits for its next stop; the wait status.
int await_stop(int tid);
user_regs_struct registers_of(int tid);
void set_registers(int tid, const user_regs_struct& registers);
std::string xstate_of(int tid);

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

namespace icecore::snapshot {

/// include/linux/errno.h: not visible to programs, only to a tracer.
inline constexpr long kErestartNoHand = 514;
inline constexpr long kErestartRestartBlock = 516;

/// The kernel would go on with this call, a sleep, by restart_syscall.
inline bool is_to_be_restarted_by_kernel(const user_regs_struct& registers) {
  return static_cast<long>(registers.orig_rax) >= 0 &&
         static_cast<long>(registers.rax) == -kErestartRestartBlock;
}

/// Some system calls return EINTR to the program even when they were cut short by us alone and no
/// handler runs (epoll_wait, semop, sigtimedwait, socket calls with a timeout ...). At a ptrace
/// event stop of ours, rax still holds -EINTR; -ERESTARTNOHAND instead makes the kernel start the
/// call again if no handler runs and return EINTR if one does, so that genuine signals need no
/// inspection. Rewinding rip by hand would swallow genuine ones. Returns whether `registers` were
/// changed.
bool restart_if_cut_short(user_regs_struct& registers);

}  // namespace icecore::snapshot

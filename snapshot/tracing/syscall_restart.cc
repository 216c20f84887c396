// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/syscall_restart.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace icecore::snapshot {
namespace {

// Calls that answer -EINTR to any interruption. Each was tried blocked under PTRACE_INTERRUPT;
// close() with SO_LINGER is not here because it must never be issued twice.
constexpr std::array kCutShort{
    SYS_accept,     SYS_accept4,      SYS_connect,         SYS_epoll_pwait,    SYS_epoll_pwait2,
    SYS_epoll_wait, SYS_io_getevents, SYS_io_pgetevents,   SYS_io_uring_enter, SYS_recvfrom,
    SYS_recvmmsg,   SYS_recvmsg,      SYS_rt_sigtimedwait, SYS_semop,          SYS_semtimedop,
    SYS_sendmmsg,   SYS_sendmsg,      SYS_sendto,          SYS_read,           SYS_readv,
    SYS_write,      SYS_writev,       SYS_fallocate,       SYS_preadv2,        SYS_pwritev2,
    SYS_ppoll,      SYS_pselect6,     SYS_select,
};

}  // namespace

bool restart_if_cut_short(user_regs_struct& registers) {
  const auto number = static_cast<long>(registers.orig_rax);
  if (number < 0 || static_cast<long>(registers.rax) != -EINTR) return false;
  if (std::find(kCutShort.begin(), kCutShort.end(), number) == kCutShort.end()) return false;
  registers.rax = static_cast<unsigned long long>(-kErestartNoHand);
  return true;
}

}  // namespace icecore::snapshot

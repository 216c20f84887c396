// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/borrowed_descriptor.h"

#include <fcntl.h>
#include <sys/syscall.h>

namespace icecore::snapshot {

DescriptorLender::DescriptorLender(int pid) {
  constexpr unsigned kThread = O_EXCL;  // PIDFD_THREAD, since Linux 6.9: a thread of a dead leader
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, kThread)));
  if (!pidfd_.valid()) pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

UniqueFd DescriptorLender::borrow(int fd) const {
  if (!pidfd_.valid()) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), fd, 0)));
}

}  // namespace icecore::snapshot

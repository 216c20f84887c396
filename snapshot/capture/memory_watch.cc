// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_watch.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace icecore::snapshot {
namespace {

// Linux 5.19 and 6.7; Debian 12's headers are older.
constexpr std::uint64_t kFeatureWpHugetlbfsShmem = 1U << 12U;
constexpr std::uint64_t kFeatureWpUnpopulated = 1U << 13U;
constexpr std::uint64_t kFeatureWpAsync = 1U << 15U;

constexpr std::uint64_t kUserModeOnly = 1;  // UFFD_USER_MODE_ONLY, Linux 5.11

/// Without privilege, or vm.unprivileged_userfaultfd, only faults of user code may wait for a
/// handler. None does here: asynchronous marks are the kernel's, for its own writes as well.
std::int64_t make_userfaultfd(RemoteProcess& process) {
  constexpr std::uint64_t kFlags = O_CLOEXEC | O_NONBLOCK;
  const auto remote = process.call(SYS_userfaultfd, {kFlags});
  return remote == -EPERM ? process.call(SYS_userfaultfd, {kFlags | kUserModeOnly}) : remote;
}

/// Fetches descriptor `fd` of process `pid`.
UniqueFd take_descriptor(int pid, int fd) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return {};
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), fd, 0)));
}

}  // namespace

std::optional<WriteWatch> WriteWatch::create(RemoteProcess& process) {
  if (!process.permits(SYS_close)) return std::nullopt;
  const auto remote = make_userfaultfd(process);
  if (remote < 0) return std::nullopt;
  UniqueFd fd = take_descriptor(process.pid(), static_cast<int>(remote));
  process.call(SYS_close, {static_cast<std::uint64_t>(remote)});
  if (!fd.valid()) return std::nullopt;
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = kFeatureWpAsync | kFeatureWpUnpopulated | kFeatureWpHugetlbfsShmem;
  if (::ioctl(fd.get(), UFFDIO_API, &api) != 0) return std::nullopt;
  return WriteWatch(std::move(fd));
}

WriteWatch::Answer WriteWatch::watch(std::uint64_t start, std::uint64_t end) {
  uffdio_register registration{};
  registration.range.start = start;
  registration.range.len = end - start;
  registration.mode = UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(fd_.get(), UFFDIO_REGISTER, &registration) == 0) return Answer::Watching;
  return errno == ESRCH || errno == ENOMEM ? Answer::Dead : Answer::Refused;
}

}  // namespace icecore::snapshot

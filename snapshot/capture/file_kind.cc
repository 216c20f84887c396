// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/file_kind.h"

#include <linux/major.h>
#include <sys/sysmacros.h>

#include <array>

namespace icecore::snapshot {
namespace {

using model::OpenFile;

struct Named {
  std::string_view prefix;
  OpenFile::Kind kind;
};

// Links that are no paths. The first that fits counts.
constexpr std::array kSpecialTargets = {
    Named{"pipe:", OpenFile::PIPE},
    Named{"socket:", OpenFile::SOCKET},
    Named{"anon_inode:[eventpoll]", OpenFile::EPOLL},
    Named{"anon_inode:[eventfd]", OpenFile::EVENTFD},
    Named{"anon_inode:[signalfd]", OpenFile::SIGNALFD},
    Named{"anon_inode:[timerfd]", OpenFile::TIMERFD},
    Named{"anon_inode:inotify", OpenFile::INOTIFY},
    Named{"anon_inode:[fanotify]", OpenFile::FANOTIFY},
    Named{"anon_inode:[pidfd]", OpenFile::PIDFD},
    Named{"pidfd:", OpenFile::PIDFD},  // pidfs, since Linux 6.9
    Named{"anon_inode:[userfaultfd]", OpenFile::USERFAULTFD},
    Named{"anon_inode:[io_uring]", OpenFile::IO_URING},
    Named{"anon_inode:bpf", OpenFile::BPF},
    Named{"anon_inode:btf", OpenFile::BPF},
    Named{"anon_inode:[perf_event]", OpenFile::PERF_EVENT},
    Named{"anon_inode:", OpenFile::OTHER_ANON},
    Named{"/memfd:", OpenFile::MEMFD},
};
constexpr std::array<std::string_view, 8> kNamespaces = {"cgroup:[", "ipc:[",  "mnt:[",  "net:[",
                                                         "pid:[",    "time:[", "user:[", "uts:["};

OpenFile::Kind character_device(const struct ::stat& status) {
  const unsigned major = gnu_dev_major(status.st_rdev);
  const unsigned minor = gnu_dev_minor(status.st_rdev);
  constexpr unsigned kMiscTun = 200;
  if (major == MISC_MAJOR && minor == kMiscTun) return OpenFile::TUNTAP;
  const bool unix98 = major >= UNIX98_PTY_MASTER_MAJOR && major < UNIX98_PTY_SLAVE_MAJOR + 8;
  if (unix98 || major == TTY_MAJOR || major == TTYAUX_MAJOR) return OpenFile::TERMINAL;
  return OpenFile::CHARACTER_DEVICE;
}

}  // namespace

OpenFile::Kind file_kind(std::string_view target, const struct ::stat& status) {
  for (const Named& named : kSpecialTargets) {
    if (target.starts_with(named.prefix)) return named.kind;
  }
  for (const std::string_view prefix : kNamespaces) {
    if (target.starts_with(prefix)) return OpenFile::NAMESPACE;
  }
  if (S_ISCHR(status.st_mode)) return character_device(status);
  if (S_ISBLK(status.st_mode)) return OpenFile::BLOCK_DEVICE;
  if (S_ISFIFO(status.st_mode)) return OpenFile::FIFO;
  if (S_ISSOCK(status.st_mode)) return OpenFile::SOCKET;
  if (target.starts_with("/proc/") && gnu_dev_major(status.st_dev) == 0) return OpenFile::PROC;
  if (S_ISDIR(status.st_mode)) return OpenFile::DIRECTORY;
  if (S_ISREG(status.st_mode)) return OpenFile::REGULAR;
  return OpenFile::UNKNOWN;
}

std::string_view kind_text(OpenFile::Kind kind) {
  switch (kind) {
    case OpenFile::REGULAR:
      return "file";
    case OpenFile::DIRECTORY:
      return "directory";
    case OpenFile::CHARACTER_DEVICE:
      return "character device";
    case OpenFile::BLOCK_DEVICE:
      return "block device";
    case OpenFile::PIPE:
      return "pipe";
    case OpenFile::FIFO:
      return "named pipe";
    case OpenFile::SOCKET:
      return "socket";
    case OpenFile::EPOLL:
      return "epoll";
    case OpenFile::EVENTFD:
      return "eventfd";
    case OpenFile::SIGNALFD:
      return "signalfd";
    case OpenFile::TIMERFD:
      return "timerfd";
    case OpenFile::INOTIFY:
      return "inotify";
    case OpenFile::FANOTIFY:
      return "fanotify";
    case OpenFile::PIDFD:
      return "pidfd";
    case OpenFile::USERFAULTFD:
      return "userfaultfd";
    case OpenFile::IO_URING:
      return "io_uring";
    case OpenFile::MEMFD:
      return "memfd";
    case OpenFile::TERMINAL:
      return "terminal";
    case OpenFile::BPF:
      return "BPF object";
    case OpenFile::PERF_EVENT:
      return "perf event";
    case OpenFile::NAMESPACE:
      return "namespace";
    case OpenFile::OTHER_ANON:
      return "anonymous file";
    case OpenFile::PROC:
      return "proc file";
    case OpenFile::TUNTAP:
      return "tun/tap device";
    case OpenFile::MESSAGE_QUEUE:
      return "message queue";
    default:
      return "unknown file";
  }
}

}  // namespace icecore::snapshot

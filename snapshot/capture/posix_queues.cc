// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/posix_queues.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

/// "QSIZE:129  NOTIFY:0  SIGNO:0  NOTIFY_PID:8260": the last, 0 when nobody is to be told.
int notified_pid(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const UniqueFd file(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text{};
  const ssize_t size = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
  const std::string_view line(text.data(), static_cast<std::size_t>(size > 0 ? size : 0));
  constexpr std::string_view kName = "NOTIFY_PID:";
  const auto at = line.find(kName);
  if (at == std::string_view::npos) throw Error("the state of the message queue cannot be read");
  std::string_view number = line.substr(at + kName.size());
  return proc::take_number<int>(number);
}

}  // namespace

bool is_posix_queue(int fd) {
  constexpr long kMqueueMagic = 0x19800202;  // of its file system, ipc/mqueue.c
  struct statfs status {};
  return ::fstatfs(fd, &status) == 0 && status.f_type == kMqueueMagic;
}

void fill_posix_queue(int fd, model::PosixQueue& queue) {
  struct ::stat status {};
  struct ::mq_attr attributes {};
  if (::fstat(fd, &status) != 0 || ::mq_getattr(fd, &attributes) != 0) throw_errno("mq_getattr");
  queue.set_inode(status.st_ino);
  queue.set_uid(status.st_uid);
  queue.set_gid(status.st_gid);
  queue.set_mode(status.st_mode & 07777U);
  queue.set_most_messages(attributes.mq_maxmsg);
  queue.set_longest_message(attributes.mq_msgsize);
  queue.set_messages(attributes.mq_curmsgs);
  queue.set_notified_pid(notified_pid(fd));
}

/// By a mount of their file system that is attached nowhere.
std::vector<model::PosixQueue> posix_queues() {
  std::vector<model::PosixQueue> queues;
  const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC)));
  if (!context.valid()) return queues;  // a kernel without them
  ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  const UniqueFd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mount.valid()) throw_errno("fsmount mqueue");
  // The mount itself is known by a descriptor that only names it (O_PATH).
  const int root = ::openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) throw_errno("open the message queues");
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(root), ::closedir);
  while (const dirent* const entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    const UniqueFd fd(::openat(root, entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) throw_errno("open message queue " + std::string(entry->d_name));
    auto& queue = queues.emplace_back();
    queue.set_name(std::string("/") + entry->d_name);
    fill_posix_queue(fd.get(), queue);
  }
  return queues;
}

}  // namespace icecore::snapshot

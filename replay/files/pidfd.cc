// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "replay/files/kernel_lines.h"
#include "replay/files/makers.h"

namespace icecore::replay {
namespace {

constexpr unsigned kThread = O_EXCL;  // PIDFD_THREAD

UniqueFd open_pidfd(int pid, unsigned flags) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, flags)));
  if (!fd.valid()) throw_errno("pidfd_open " + std::to_string(pid));
  return fd;
}

/// Of a process that has ended and was waited for: one that only lived for this.
UniqueFd pidfd_of_the_dead(unsigned flags) {
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child == 0) ::_exit(0);
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, child, flags & ~kThread)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!fd.valid()) throw_errno("pidfd_open");
  return fd;
}

bool is_inside(const model::Snapshot& model, std::int64_t id) {
  return std::ranges::any_of(model.processes(), [id](const model::Process& process) {
    return process.pid() == id || std::ranges::any_of(process.threads(), [id](const auto& thread) {
             return thread.tid() == id;
           });
  });
}

}  // namespace

Objection check_pidfd(const Checking& checking, const model::OpenFile& file) {
  const std::int64_t pid = signed_line(file, "Pid");
  if (pid == -1 || is_inside(checking.model, pid)) return {};
  return {"it refers to process " + std::to_string(pid) + ", which is not of the tree", ""};
}

void make_pidfd(Making& making, const model::OpenFile& file) {
  const std::int64_t pid = signed_line(file, "Pid");
  const unsigned flags = file.flags() & (O_NONBLOCK | kThread);
  if (pid == -1) {
    making.made.emplace(file.id(), pidfd_of_the_dead(flags));
    return;
  }
  const auto here = making.surroundings.pids.find(static_cast<int>(pid));
  if (here == making.surroundings.pids.end()) {
    throw Error("process " + std::to_string(pid) + " was not restored");
  }
  making.made.emplace(file.id(), open_pidfd(here->second, flags));
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/files/tree_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace icecore::replay {

UniqueFd try_open_in_tree(int root, const std::string& path, unsigned flags, unsigned mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT;
  int fd = -1;
  do {
    fd = static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
    // EAGAIN: something was renamed or mounted while ".." was looked up.
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return UniqueFd(fd);
}

UniqueFd open_in_tree(int root, const std::string& path, unsigned flags) {
  UniqueFd fd = try_open_in_tree(root, path, flags);
  if (!fd.valid()) throw_errno("open " + path);
  return fd;
}

UniqueFd reopen(int fd, unsigned flags) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  UniqueFd again(::open(link.c_str(), static_cast<int>(flags | O_CLOEXEC)));
  if (!again.valid()) throw_errno("open a file again");
  return again;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace icecore::replay

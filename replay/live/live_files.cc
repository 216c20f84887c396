// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "replay/live/host_path.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/maps.h"

namespace icecore::replay {
namespace {

/// A debugger has a handful open; one that never closes any is not given more.
constexpr std::size_t kMostOpenFiles = 1024;

[[noreturn]] void fail(std::string_view path, int errno_value) {
  throw gdbstub::HostFileError(std::string(path) + ": " + std::strerror(errno_value), errno_value);
}

bool only_reads(int flags) {
  return (flags & O_ACCMODE) == O_RDONLY && (flags & (O_CREAT | O_TRUNC)) == 0;
}

/// Where symbolic links have led.
std::string real_path(int file) {
  std::array<char, PATH_MAX> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

}  // namespace

UniqueFd LiveFiles::root_of(std::int32_t pid) const {
  if (pid == 0 && !tree_.processes().empty()) pid = tree_.processes().begin()->first;
  const std::string path = pid == 0 ? "/" : "/proc/" + std::to_string(pid) + "/root";
  return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd LiveFiles::open_below(std::int32_t pid, const std::string& path, int flags,
                               int mode) const {
  const UniqueFd root = root_of(pid);
  if (!root.valid()) fail(path, errno);
  open_how how{};
  // A FIFO without a writer must not stop us, nor a terminal become ours.
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  how.mode = (flags & O_CREAT) != 0 ? static_cast<std::uint64_t>(mode) & 07777U : 0;
  how.resolve = RESOLVE_IN_ROOT;
  const long fd = ::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how);
  if (fd < 0) fail(path, errno);
  return UniqueFd(static_cast<int>(fd));
}

bool LiveFiles::is_own_proc_path(std::string_view path) const {
  const auto wanted = parse_proc_path(path);
  if (!wanted) return false;
  const auto process = tree_.processes().find(wanted->pid);
  if (process == tree_.processes().end()) return false;
  return wanted->tid == 0 || process->second.threads.contains(wanted->tid);
}

/// By device and inode: loaders know a library by other names than the kernel.
bool LiveFiles::is_mapped(int file) const {
  struct stat wanted {};
  if (::fstat(file, &wanted) != 0) return false;
  for (const auto& [pid, process] : tree_.processes()) {
    const auto text = snapshot::ProcDirectory::read_file("/proc/" + std::to_string(pid) + "/maps");
    for (const auto& line : snapshot::proc::parse_maps(text)) {
      if (line.inode == wanted.st_ino && line.device == wanted.st_dev) return true;
    }
    struct stat executable {};
    const std::string link = "/proc/" + std::to_string(pid) + "/exe";
    const bool known = ::stat(link.c_str(), &executable) == 0;
    if (known && executable.st_ino == wanted.st_ino && executable.st_dev == wanted.st_dev) {
      return true;
    }
  }
  return false;
}

int LiveFiles::open(const OpenRequest& request) {
  if (open_.size() >= kMostOpenFiles) fail(request.path, EMFILE);
  const std::string path(request.path);
  UniqueFd file;
  if (is_own_proc_path(path) && only_reads(request.flags)) {
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) fail(path, errno);
  } else if (serves_all()) {
    file = open_below(request.pid, path, request.flags, request.mode);
  } else {
    if (!only_reads(request.flags)) fail(path, EACCES);
    file = open_below(request.pid, path, O_RDONLY, 0);
    const bool named = is_for_debuggers(path) && is_for_debuggers(real_path(file.get()));
    if (!named && !is_mapped(file.get())) fail(path, EACCES);
  }
  int descriptor = 3;
  while (open_.contains(descriptor)) ++descriptor;
  open_.emplace(descriptor, std::move(file));
  return descriptor;
}

int LiveFiles::descriptor_of(int number) const {
  const auto found = open_.find(number);
  if (found == open_.end()) fail("file descriptor " + std::to_string(number), EBADF);
  return found->second.get();
}

void LiveFiles::close(int descriptor) {
  if (open_.erase(descriptor) == 0) fail("file descriptor " + std::to_string(descriptor), EBADF);
}

std::vector<std::byte> LiveFiles::read(int descriptor, std::size_t count, std::uint64_t offset) {
  std::vector<std::byte> bytes(count);
  const ssize_t got =
      ::pread(descriptor_of(descriptor), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (got < 0) fail("file descriptor " + std::to_string(descriptor), errno);
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

std::size_t LiveFiles::write(int descriptor, std::span<const std::byte> bytes,
                             std::uint64_t offset) {
  const ssize_t done =
      ::pwrite(descriptor_of(descriptor), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (done < 0) fail("file descriptor " + std::to_string(descriptor), errno);
  return static_cast<std::size_t>(done);
}

gdbstub::HostFileStatus LiveFiles::status(int descriptor) {
  struct stat found {};
  if (::fstat(descriptor_of(descriptor), &found) != 0) {
    fail("file descriptor " + std::to_string(descriptor), errno);
  }
  gdbstub::HostFileStatus status;
  status.device = found.st_dev;
  status.inode = found.st_ino;
  status.mode = found.st_mode;
  status.links = static_cast<std::uint32_t>(found.st_nlink);
  status.uid = found.st_uid;
  status.gid = found.st_gid;
  status.size = static_cast<std::uint64_t>(found.st_size);
  status.mtime = found.st_mtim.tv_sec;
  return status;
}

std::string LiveFiles::read_link(std::int32_t pid, std::string_view path) {
  std::array<char, PATH_MAX> target{};
  const std::string text(path);
  ssize_t size = -1;
  if (is_own_proc_path(path)) {
    size = ::readlink(text.c_str(), target.data(), target.size());
  } else if (serves_all()) {
    const UniqueFd link = open_below(pid, text, O_PATH | O_NOFOLLOW, 0);
    size = ::readlinkat(link.get(), "", target.data(), target.size());
  } else {
    errno = EACCES;
  }
  if (size < 0) fail(path, errno);
  return {target.data(), static_cast<std::size_t>(size)};
}

void LiveFiles::unlink(std::int32_t pid, std::string_view path) {
  if (!serves_all()) fail(path, EACCES);
  const auto slash = path.rfind('/');
  const std::string directory(slash == std::string_view::npos ? "/" : path.substr(0, slash + 1));
  const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  const UniqueFd parent = open_below(pid, directory, O_PATH | O_DIRECTORY, 0);
  if (::unlinkat(parent.get(), name.c_str(), 0) != 0) fail(path, errno);
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/proc_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

// One read() of a seq_file gives at most what the kernel's own buffer holds, but other files, such
// as environ, fill what they are given.
constexpr std::size_t kWorthReading = std::size_t{8} << 10U;

bool means_absent(int error) {
  return error == ENOENT || error == ESRCH || error == EACCES || error == EPERM ||
         error == ENOTDIR || error == EINVAL || error == EBADF;
}

UniqueFd open_retrying(int directory, const char* name, int flags) {
  int fd;
  while ((fd = ::openat(directory, name, flags | O_CLOEXEC)) < 0 && errno == EINTR) {
  }
  return UniqueFd(fd);
}

std::optional<std::string> read_link_at(int directory, const char* name) {
  char target[4096];
  const ssize_t size = ::readlinkat(directory, name, target, sizeof target);
  if (size >= 0) return std::string(target, static_cast<std::size_t>(size));
  // A path of more than a page cannot be told by the kernel.
  if (means_absent(errno) || errno == ENAMETOOLONG) return std::nullopt;
  throw_errno(std::string("readlink ") + name + " of a process");
}

timespec plain_time(const statx_timestamp& time) {
  return {.tv_sec = time.tv_sec, .tv_nsec = static_cast<long>(time.tv_nsec)};
}

// Asks only what the kernel knows by itself: the server of a network or FUSE file system may be one
// of the frozen, and would never answer.
std::optional<struct ::stat> stat_at(int directory, const char* name) {
  struct ::statx known {};
  if (::statx(directory, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &known) != 0) {
    return std::nullopt;
  }
  struct ::stat status {};
  status.st_dev = makedev(known.stx_dev_major, known.stx_dev_minor);
  status.st_ino = known.stx_ino;
  status.st_mode = known.stx_mode;
  status.st_nlink = known.stx_nlink;
  status.st_uid = known.stx_uid;
  status.st_gid = known.stx_gid;
  status.st_rdev = makedev(known.stx_rdev_major, known.stx_rdev_minor);
  status.st_size = static_cast<off_t>(known.stx_size);
  status.st_mtim = plain_time(known.stx_mtime);
  status.st_ctim = plain_time(known.stx_ctime);
  return status;
}

// A descriptor's number as text, without an allocation.
struct NumberText {
  explicit NumberText(int number) { *std::to_chars(text, text + sizeof text - 1, number).ptr = 0; }
  char text[16];
};

}  // namespace

std::optional<ProcDirectory> ProcDirectory::open(int pid) {
  const std::string path = "/proc/" + std::to_string(pid);
  UniqueFd directory = open_retrying(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
  if (!directory.valid()) {
    if (errno == ENOENT || errno == ESRCH) return std::nullopt;
    throw_errno("open " + path);
  }
  ProcDirectory opened(pid, std::move(directory));
  const auto text = opened.read("stat", Shape::OneRecord);
  if (!text) return std::nullopt;
  opened.stat_ = proc::parse_stat(*text);
  if (opened.stat_.state == 'Z' && opened.stat_.threads > 1) opened.find_living_thread();
  return opened;
}

ProcDirectory::ProcDirectory(int pid, UniqueFd directory)
    : pid_(pid), directory_(std::move(directory)), living_tid_(pid) {}

void ProcDirectory::find_living_thread() {
  for (const int tid : thread_ids()) {
    const auto text = read(("task/" + std::to_string(tid) + "/stat").c_str());
    if (!text) continue;
    const proc::Stat thread = proc::parse_stat(*text);
    if (thread.state == 'Z' || thread.state == 'X') continue;
    // Not below task/: only /proc/TID itself has map_files and timerslack_ns too.
    UniqueFd found =
        open_retrying(AT_FDCWD, ("/proc/" + std::to_string(tid)).c_str(), O_PATH | O_DIRECTORY);
    if (!found.valid()) continue;
    living_thread_ = std::move(found);
    living_tid_ = tid;
    return;
  }
}

const proc::Status* ProcDirectory::status() const {
  if (!status_) {
    if (const auto text = read("status", Shape::OneRecord)) status_ = proc::parse_status(*text);
  }
  return status_ ? &*status_ : nullptr;
}

std::optional<std::string_view> ProcDirectory::read(const char* name, Shape shape) const {
  return read_at(directory_.get(), name, shape);
}

std::optional<std::string_view> ProcDirectory::read_shared(const char* name, Shape shape) const {
  return read_at(shared_fd(), name, shape);
}

std::optional<std::string_view> ProcDirectory::read_at(int directory, const char* name,
                                                       Shape shape) const {
  const UniqueFd file = open_retrying(directory, name, O_RDONLY);
  if (!file.valid()) {
    if (means_absent(errno)) return std::nullopt;
    throw_errno("open /proc/" + std::to_string(pid_) + "/" + name);
  }
  std::size_t size = 0;
  for (;;) {
    if (capacity_ - size < kWorthReading) grow(size);
    const ssize_t count = ::read(file.get(), buffer() + size, capacity_ - size);
    if (count > 0) {
      size += static_cast<std::size_t>(count);
      if (shape == Shape::OneRecord && size < capacity_) {
        return std::string_view(buffer(), size);
      }
    } else if (count == 0) {
      return std::string_view(buffer(), size);
    } else if (means_absent(errno)) {
      return std::nullopt;
    } else if (errno != EINTR) {
      throw_errno("read /proc/" + std::to_string(pid_) + "/" + name);
    }
  }
}

std::string ProcDirectory::read_file(const std::string& path) {
  std::string text;
  const UniqueFd file = open_retrying(AT_FDCWD, path.c_str(), O_RDONLY);
  if (!file.valid()) return text;
  char chunk[4096];
  for (ssize_t count; (count = ::read(file.get(), chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(count));
  }
  return text;
}

void ProcDirectory::grow(std::size_t used) const {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
  std::memcpy(larger.get(), buffer(), used);
  larger_ = std::move(larger);
  capacity_ *= 2;
}

std::optional<std::string> ProcDirectory::read_link(const char* name) const {
  return read_link_at(shared_fd(), name);
}

std::optional<struct ::stat> ProcDirectory::stat_target(const char* name) const {
  return stat_at(shared_fd(), name);
}

UniqueFd ProcDirectory::open_file(const char* name, int flags) const {
  return open_retrying(shared_fd(), name, flags);
}

std::vector<int> ProcDirectory::list_numbers(int directory, const char* name) const {
  std::vector<int> numbers;
  const UniqueFd opened = open_retrying(directory, name, O_RDONLY | O_DIRECTORY);
  if (!opened.valid()) {
    if (means_absent(errno)) return numbers;
    throw_errno("open /proc/" + std::to_string(pid_) + "/" + name);
  }
  for (;;) {
    const long size = ::syscall(SYS_getdents64, opened.get(), buffer(), capacity_);
    if (size <= 0) break;  // an error here means that the process is gone
    for (long offset = 0; offset < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer() + offset);
      if (const auto number = proc::to_number<int>(entry->d_name)) numbers.push_back(*number);
      offset += entry->d_reclen;
    }
  }
  return numbers;
}

int ProcDirectory::folder(UniqueFd& opened, const char* name) const {
  if (!opened.valid()) opened = open_file(name, O_PATH | O_DIRECTORY);
  return opened.get();
}

std::optional<std::string_view> ProcDirectory::read_fdinfo(int fd) const {
  return read_at(folder(fdinfo_folder_, "fdinfo"), NumberText(fd).text, Shape::OneRecord);
}

std::optional<std::string> ProcDirectory::read_descriptor_link(int fd) const {
  return read_link_at(folder(fd_folder_, "fd"), NumberText(fd).text);
}

std::optional<struct ::stat> ProcDirectory::stat_descriptor(int fd) const {
  return stat_at(folder(fd_folder_, "fd"), NumberText(fd).text);
}

std::vector<int> ProcDirectory::thread_ids() const { return list_numbers(fd(), "task"); }

std::vector<int> ProcDirectory::descriptors() const {
  std::vector<int> numbers = list_numbers(shared_fd(), "fd");
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace icecore::snapshot

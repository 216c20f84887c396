// SPDX-License-Identifier: Apache-2.0
#include "store/recording_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "store/file_system.h"

namespace icecore::store {
namespace {

/// A lock of the open file description: it does not matter which thread or who else of the process
/// opens and closes the file, and it can be asked about without being taken.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

UniqueFd open_lock(const std::filesystem::path& file) {
  make_private_directory(file.parent_path());
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) throw_errno("open " + file.string());
  return fd;
}

/// The pid is for people only: a full disk must not keep anyone from locking.
void write_owner(int fd) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(fd, pid.data(), pid.size(), 0);
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file) {
  UniqueFd fd = open_lock(file);
  struct flock lock = whole_file();
  while (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    if (errno != EINTR) throw_errno("lock " + file.string());
  }
  write_owner(fd.get());
  return FileLock(std::move(fd));
}

FileLock FileLock::wait_for(const std::filesystem::path& file) {
  UniqueFd fd = open_lock(file);
  struct flock lock = whole_file();
  while (::fcntl(fd.get(), F_OFD_SETLKW, &lock) != 0) {
    if (errno != EINTR) throw_errno("lock " + file.string());
  }
  write_owner(fd.get());
  return FileLock(std::move(fd));
}

bool is_locked(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT) return false;
    throw_errno("open " + file.string());
  }
  struct flock lock = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) throw_errno("lock " + file.string());
  return lock.l_type != F_UNLCK;
}

std::string lock_owner(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t size = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : 0;
  if (size <= 0) return "?";
  std::string pid(text.data(), static_cast<std::size_t>(size));
  return pid.substr(0, pid.find('\n'));
}

std::filesystem::path recording_lock_path(const std::filesystem::path& store,
                                          std::string_view recording) {
  return store / "locks" / (std::string(recording) + ".recording");
}

std::filesystem::path collector_lock_path(const std::filesystem::path& store) {
  return store / "locks" / "collector";
}

}  // namespace icecore::store

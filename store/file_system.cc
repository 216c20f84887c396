// SPDX-License-Identifier: Apache-2.0
#include "store/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace icecore::store {
namespace {

[[noreturn]] void throw_write_error(const std::filesystem::path& path) {
  const int error = errno;
  try {
    throw_errno("write " + path.string(), error);
  } catch (Error& failure) {
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
      failure.set_hint("icecore gc").set_why("the store has no room left");
    }
    throw;
  }
}

}  // namespace

UniqueFd open_for_reading(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw_errno("open " + path.string());
  return fd;
}

UniqueFd create_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) throw_errno("create " + path.string());
  return fd;
}

void make_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("mkdir " + path.string());
}

void write_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
              std::span<const std::byte> first, std::span<const std::byte> second) {
  while (!first.empty() || !second.empty()) {
    const std::array<iovec, 2> parts{iovec{const_cast<std::byte*>(first.data()), first.size()},
                                     iovec{const_cast<std::byte*>(second.data()), second.size()}};
    const ssize_t written = ::pwritev(fd, parts.data(), 2, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_write_error(path);
    }
    if (written == 0) {
      errno = ENOSPC;
      throw_write_error(path);
    }
    const auto done = static_cast<std::size_t>(written);
    offset += done;
    const std::size_t of_first = std::min(done, first.size());
    first = first.subspan(of_first);
    second = second.subspan(done - of_first);
  }
}

std::size_t read_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
                    std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw_errno("read " + path.string());
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::uint64_t file_size(int fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_errno("fstat " + path.string());
  return static_cast<std::uint64_t>(status.st_size);
}

void sync_data(int fd, const std::filesystem::path& path) {
  while (::fdatasync(fd) != 0) {
    if (errno != EINTR) throw_errno("fdatasync " + path.string());
  }
}

void sync_file_and_directory(int fd, const std::filesystem::path& path) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) throw_errno("fsync " + path.string());
  }
  sync_directory(path.parent_path());
}

void sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) throw_errno("open " + directory.string());
  while (::fsync(fd.get()) != 0) {
    if (errno != EINTR) throw_errno("fsync " + directory.string());
  }
}

}  // namespace icecore::store

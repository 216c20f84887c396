// SPDX-License-Identifier: Apache-2.0
#include "store/file_mark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/unique_fd.h"

namespace icecore::store {
namespace {

constexpr std::size_t kLongest = 256;

std::string read_short(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, kLongest> text{};
  const ssize_t size = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : -1;
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string file_mark(int fd) {
  struct stat status {};
  std::string mark = read_short("/proc/sys/kernel/random/boot_id");
  if (mark.empty() || ::fstat(fd, &status) != 0 || status.st_nlink == 0) return {};
  mark.back() = ' ';
  std::array<char, kLongest> text{};
  std::snprintf(text.data(), text.size(), "%lu %lu %ld %ld.%09ld %ld.%09ld\n",
                static_cast<unsigned long>(status.st_dev),
                static_cast<unsigned long>(status.st_ino), static_cast<long>(status.st_size),
                static_cast<long>(status.st_mtim.tv_sec), static_cast<long>(status.st_mtim.tv_nsec),
                static_cast<long>(status.st_ctim.tv_sec),
                static_cast<long>(status.st_ctim.tv_nsec));
  return mark + text.data();
}

bool is_marked(const std::filesystem::path& note, int fd) {
  const std::string known = read_short(note.c_str());
  return !known.empty() && known == file_mark(fd);
}

void note_mark(const std::filesystem::path& note, int fd) noexcept {
  try {
    const std::string mark = file_mark(fd);
    if (mark.empty()) return;
    // One write of a short line: whoever reads it meanwhile finds another mark, or none.
    const UniqueFd file(::open(note.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    [[maybe_unused]] const auto wrote = ::pwrite(file.get(), mark.data(), mark.size(), 0);
  } catch (...) {
    return;
  }
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "cli/private_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "base/error.h"

namespace icecore::cli {
namespace {

constexpr std::string_view kPrefix = "icecore-session.";
constexpr std::string_view kPattern = "XXXXXX";

std::filesystem::path parent_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  std::error_code error;
  if (runtime != nullptr && std::filesystem::is_directory(runtime, error)) return runtime;
  return std::filesystem::temp_directory_path();
}

/// Invalid when somebody else has it.
UniqueFd locked(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

/// Young ones may be about to be locked.
bool is_left_behind(const std::filesystem::path& path) {
  constexpr std::time_t kYoung = 60;  // seconds
  const std::string name = path.filename().string();
  struct stat status {};
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kPattern.size() &&
         ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid() && ::time(nullptr) - status.st_mtime > kYoung &&
         locked(path).valid();
}

void sweep(const std::filesystem::path& parent) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
    if (is_left_behind(entry.path())) std::filesystem::remove_all(entry.path(), error);
  }
}

}  // namespace

PrivateDirectory::PrivateDirectory() {
  const auto parent = parent_directory();
  sweep(parent);
  std::string name = (parent / (std::string(kPrefix) + std::string(kPattern))).string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("make a directory " + name);  // mode 0700
  path_ = name;
  lock_ = locked(path_);
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path PrivateDirectory::write(std::string_view name, std::string_view text) const {
  const auto path = path_ / name;
  std::ofstream file(path);
  if (!(file << text << std::flush)) throw_errno("write " + path.string());
  return path;
}

}  // namespace icecore::cli

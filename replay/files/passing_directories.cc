// SPDX-License-Identifier: Apache-2.0
#include "replay/files/passing_directories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "replay/files/tree_path.h"

namespace icecore::replay {

PassingDirectories::PassingDirectories(int root, const std::string& path) {
  constexpr unsigned kFlags = O_PATH | O_DIRECTORY;
  std::string existing = path;
  fd_ = try_open_in_tree(root, existing, kFlags);
  std::vector<std::string> missing;
  while (!fd_.valid() && errno == ENOENT && existing != "/") {
    missing.push_back(name_of(existing));
    existing = directory_of(existing);
    fd_ = try_open_in_tree(root, existing, kFlags);
  }
  if (!fd_.valid()) error_ = errno;
  for (auto name = missing.rbegin(); fd_.valid() && name != missing.rend(); ++name) {
    constexpr mode_t kMode = 0700;
    if (::mkdirat(fd_.get(), name->c_str(), kMode) != 0) {
      error_ = errno;
      fd_.reset();
      break;
    }
    UniqueFd child(::openat(fd_.get(), name->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!child.valid()) error_ = errno;
    made_.push_back({std::move(fd_), *name});
    fd_ = std::move(child);
  }
}

PassingDirectories::~PassingDirectories() {
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
    ::unlinkat(made->parent.get(), made->name.c_str(), AT_REMOVEDIR);
  }
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/passing_directories.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

UniqueFd open_directory(int root, const model::OpenFile& file, unsigned flags) {
  if (!file.deleted()) return open_in_tree(root, file.target(), flags);
  const PassingDirectories made(root, file.target());
  if (!made.fd().valid()) throw_errno("mkdir", made.error());
  UniqueFd fd(::openat(made.fd().get(), ".", static_cast<int>(flags | O_CLOEXEC)));
  if (!fd.valid()) throw_errno("open");
  return fd;
}

}  // namespace

void make_directory(Making& making, const model::OpenFile& file) {
  const bool is_path = (file.flags() & O_PATH) != 0;
  const unsigned flags = (is_path ? O_PATH : file.flags() & ~static_cast<unsigned>(O_ASYNC)) |
                         static_cast<unsigned>(O_DIRECTORY);
  UniqueFd fd = open_directory(making.surroundings.root, file, flags);
  // The position is the file system's own cookie, good for the same directory.
  if (!is_path && ::lseek(fd.get(), file.position(), SEEK_SET) < 0) throw_errno("lseek");
  making.made.emplace(file.id(), std::move(fd));
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/passing_directories.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

bool is_same_fifo(const OpenFile& a, const OpenFile& b) {
  return b.kind() == OpenFile::FIFO && a.identity().inode() == b.identity().inode() &&
         a.identity().device() == b.identity().device();
}

/// A FIFO without a name: made and unlinked at once.
UniqueFd make_deleted(int root, const OpenFile& file) {
  const PassingDirectories directory(root, directory_of(file.target()));
  if (!directory.fd().valid()) throw_errno("mkdir", directory.error());
  const std::string name = name_of(file.target());
  if (::mkfifoat(directory.fd().get(), name.c_str(), file.identity().mode() & 07777U) != 0) {
    throw_errno("mkfifo");
  }
  UniqueFd fd(::openat(directory.fd().get(), name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const int error = errno;
  ::unlinkat(directory.fd().get(), name.c_str(), 0);
  if (!fd.valid()) throw_errno("open", error);
  if (::fchown(fd.get(), file.identity().uid(), file.identity().gid()) != 0) {
    throw_errno("chown");
  }
  return fd;
}

UniqueFd open_both_ends(int root, const OpenFile& file) {
  if (file.deleted()) return make_deleted(root, file);
  UniqueFd fd = open_in_tree(root, file.target(), O_RDWR | O_NONBLOCK);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
    throw Refused("there is no FIFO at its path any more");
  }
  return fd;
}

/// What was unread, unless somebody outside the tree has kept it.
void fill(int fd, const OpenFile& file) {
  int waiting = 0;
  if (::ioctl(fd, FIONREAD, &waiting) != 0 || waiting != 0) return;
  const std::string& bytes = file.unread();
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw_errno("write the unread bytes");
  }
}

}  // namespace

/// All descriptions of one FIFO, while both its ends are open: so no open waits for another.
void make_fifo(Making& making, const OpenFile& file) {
  const int root = making.surroundings.root;
  if ((file.flags() & O_PATH) != 0) {
    making.made.emplace(file.id(), open_in_tree(root, file.target(), O_PATH));
    return;
  }
  const UniqueFd both = open_both_ends(root, file);
  const auto capacity = static_cast<int>(file.pipe_capacity());
  if (capacity != 0 && ::fcntl(both.get(), F_GETPIPE_SZ) != capacity) {
    ::fcntl(both.get(), F_SETPIPE_SZ, capacity);
  }
  const OpenFile* full = nullptr;
  for (const auto& other : making.snapshot.model().open_files()) {
    if (!is_same_fifo(file, other) || (other.flags() & O_PATH) != 0) continue;
    const unsigned flags = other.flags() & ~static_cast<unsigned>(O_ASYNC | O_CREAT | O_EXCL);
    making.made.emplace(other.id(), reopen(both.get(), flags));
    if (!other.unread().empty()) full = &other;
  }
  if (full != nullptr) fill(both.get(), *full);
}

}  // namespace icecore::replay

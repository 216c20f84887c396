// SPDX-License-Identifier: Apache-2.0
#include "replay/files/lost_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "replay/files/passing_directories.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {

int LostFiles::find_or_make(const model::FileIdentity& identity, const Make& make) {
  UniqueFd& file = files_[{identity.device(), identity.inode()}];
  if (!file.valid()) file = make();
  return file.get();
}

int LostFiles::find(const model::FileIdentity& identity) const {
  const auto found = files_.find({identity.device(), identity.inode()});
  return found == files_.end() ? -1 : found->second.get();
}

bool LostFiles::knows(const model::FileIdentity& identity) const { return find(identity) >= 0; }

UniqueFd make_nameless_file(int root, const std::string& path) {
  constexpr mode_t kMode = 0600;
  const PassingDirectories directory(root, directory_of(path));
  if (directory.fd().valid()) {
    const std::string name = name_of(path);
    UniqueFd file(::openat(directory.fd().get(), name.c_str(),
                           O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
    if (file.valid()) {
      ::unlinkat(directory.fd().get(), name.c_str(), 0);
      return file;
    }
    const std::string link = "/proc/self/fd/" + std::to_string(directory.fd().get());
    file.reset(::open(link.c_str(), O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, kMode));
    if (file.valid()) return file;
  }
  UniqueFd file(::memfd_create(name_of(path).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) throw_errno("memfd_create");
  return file;
}

void restore_attributes(int fd, const model::FileIdentity& identity) {
  if (::ftruncate(fd, static_cast<off_t>(identity.size())) != 0) throw_errno("ftruncate");
  // Without the right to give files away it stays ours, and so does its set-user-ID bit.
  if (::fchown(fd, identity.uid(), identity.gid()) == 0) {
    if (::fchmod(fd, identity.mode() & 07777U) != 0) throw_errno("fchmod");
  } else if (::fchmod(fd, identity.mode() & 0777U) != 0) {
    throw_errno("fchmod");
  }
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  const std::array times{timespec{0, UTIME_OMIT}, timespec{identity.mtime_ns() / kNsPerSecond,
                                                           identity.mtime_ns() % kNsPerSecond}};
  ::futimens(fd, times.data());
}

}  // namespace icecore::replay

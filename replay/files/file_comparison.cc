// SPDX-License-Identifier: Apache-2.0
#include "replay/files/file_comparison.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "snapshot/capture/file_identity.h"
#include "snapshot/symbols/build_id.h"

namespace icecore::replay {

Likeness compare_identity(int fd, const model::FileIdentity& identity) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return Likeness::Different;
  model::FileIdentity now;
  snapshot::fill_identity(status, now);
  if (now.device() != identity.device() || now.inode() != identity.inode() ||
      now.size() != identity.size() || now.mtime_ns() != identity.mtime_ns()) {
    return Likeness::Different;
  }
  return now.ctime_ns() == identity.ctime_ns() ? Likeness::Same : Likeness::Touched;
}

bool has_content(int fd, const store::StoredFile& stored) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != stored.size()) {
    return false;
  }
  constexpr std::size_t kPiece = std::size_t{1} << 18U;
  std::vector<std::byte> ours(kPiece);
  std::vector<std::byte> theirs(kPiece);
  for (std::uint64_t offset = 0; offset < stored.size();) {
    const std::size_t got = stored.read(offset, ours);
    const ssize_t read = ::pread(fd, theirs.data(), got, static_cast<off_t>(offset));
    if (got == 0 || read != static_cast<ssize_t>(got)) return false;
    if (std::memcmp(ours.data(), theirs.data(), got) != 0) return false;
    offset += got;
  }
  return true;
}

bool serves_mapping(const snapshot::StoredSnapshot& snapshot, const model::MappedFile& file,
                    int fd) {
  const Likeness likeness = compare_identity(fd, file.identity());
  if (likeness == Likeness::Same) return true;
  if (const auto stored = snapshot.open_content(file.content())) return has_content(fd, *stored);
  if (likeness == Likeness::Touched) return true;
  struct stat status {};
  if (::fstat(fd, &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) != file.identity().size() ||
      file.build_id().empty()) {
    return false;
  }
  const auto build_id = symbols::build_id_bytes(symbols::read_build_id(fd));
  return build_id.size() == file.build_id().size() &&
         std::memcmp(build_id.data(), file.build_id().data(), build_id.size()) == 0;
}

}  // namespace icecore::replay

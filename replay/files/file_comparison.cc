// SPDX-License-Identifier: Apache-2.0
#include "replay/files/file_comparison.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/capture/file_identity.h"
#include "snapshot/symbols/build_id.h"
#include "store/file_mark.h"

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

namespace {

/// same/HASH in the store notes which file was found to have that content. It costs 25 ms to read
/// a JVM's library, and a package that was installed anew or an image from another machine has
/// nothing else.
std::filesystem::path note_of(const snapshot::StoredSnapshot& snapshot,
                              const std::string& content) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    name += kDigits[byte / 16U];
    name += kDigits[byte % 16U];
  }
  return snapshot.store().directory() / "same" / name;
}

bool has_known_content(const snapshot::StoredSnapshot& snapshot, const std::string& content,
                       const store::StoredFile& stored, int fd) {
  const auto note = note_of(snapshot, content);
  if (store::is_marked(note, fd)) return true;
  if (!has_content(fd, stored)) return false;
  ::mkdir(note.parent_path().c_str(), 0700);
  store::note_mark(note, fd);
  return true;
}

}  // namespace

bool serves_mapping(const snapshot::StoredSnapshot& snapshot, const model::MappedFile& file,
                    int fd) {
  const Likeness likeness = compare_identity(fd, file.identity());
  if (likeness == Likeness::Same) return true;
  if (const auto stored = snapshot.open_content(file.content())) {
    return has_known_content(snapshot, file.content(), *stored, fd);
  }
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

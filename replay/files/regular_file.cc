// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "replay/files/lost_file_content.h"
#include "replay/files/lost_files.h"
#include "replay/files/makers.h"
#include "replay/files/named_file.h"
#include "replay/files/passing_directories.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

constexpr unsigned kUnnamed = O_TMPFILE & ~O_DIRECTORY;

/// What an open(2) of the existing file takes: not what only counts when it is made, and not
/// O_ASYNC, which its owner sets.
unsigned open_flags(const model::OpenFile& file) {
  constexpr unsigned kPathFlags = O_PATH | O_NOFOLLOW | O_DIRECTORY;
  unsigned flags = file.flags();
  if ((flags & O_PATH) != 0) return flags & kPathFlags;
  if ((flags & kUnnamed) != 0) flags &= ~static_cast<unsigned>(O_TMPFILE);
  constexpr unsigned kOther = O_CREAT | O_EXCL | O_TRUNC | O_ASYNC;
  return (flags & ~kOther) | O_NOCTTY;
}

/// Only the open(2) that makes such a file has O_TMPFILE in its flags.
UniqueFd make_unnamed(Making& making, const model::OpenFile& file) {
  const PassingDirectories directory(making.surroundings.root, directory_of(file.target()));
  if (!directory.fd().valid()) return {};
  const std::string link = "/proc/self/fd/" + std::to_string(directory.fd().get());
  const unsigned flags = (open_flags(file) & ~static_cast<unsigned>(O_NOCTTY)) | O_TMPFILE;
  return UniqueFd(::open(link.c_str(), static_cast<int>(flags | O_CLOEXEC), 0600));
}

bool is_written(const model::OpenFile& file) { return (file.flags() & O_ACCMODE) != O_RDONLY; }

/// In a sandbox, when nobody knows what was in it, it has its size again, and holes.
UniqueFd make_without_name(const Making& making, const model::OpenFile& file) {
  const int root = making.surroundings.root;
  const bool known = can_make_lost_file(making.snapshot.model(), file.identity());
  if (known || making.options.changed != FileOptions::Changed::Sandbox) {
    return make_lost_file(making.snapshot, file.target(), file.identity(), root);
  }
  UniqueFd made = make_nameless_file(root, file.target());
  restore_attributes(made.get(), file.identity());
  return made;
}

UniqueFd open_lost(Making& making, const model::OpenFile& file) {
  LostFiles& lost = *making.surroundings.lost;
  UniqueFd unnamed;
  if ((file.flags() & kUnnamed) != 0 && !lost.knows(file.identity())) {
    unnamed = make_unnamed(making, file);
  }
  const int copy = lost.find_or_make(file.identity(), [&] {
    if (!unnamed.valid()) return make_without_name(making, file);
    UniqueFd again = reopen(unnamed.get(), O_RDWR);
    fill_lost_file(making.snapshot, file.identity(), again.get());
    return again;
  });
  return unnamed.valid() ? std::move(unnamed) : reopen(copy, open_flags(file));
}

/// By the name that it was opened by and has lost since, while others are left: the name is given
/// back for the moment, when it is free.
UniqueFd open_by_lost_name(int root, const model::OpenFile& file, int found) {
  const UniqueFd directory = try_open_in_tree(root, directory_of(file.target()), O_PATH);
  const std::string name = name_of(file.target());
  const std::string link = "/proc/self/fd/" + std::to_string(found);
  if (!directory.valid() ||
      ::linkat(AT_FDCWD, link.c_str(), directory.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return {};
  }
  UniqueFd fd(
      ::openat(directory.get(), name.c_str(), static_cast<int>(open_flags(file) | O_CLOEXEC)));
  ::unlinkat(directory.get(), name.c_str(), 0);
  return fd;
}

UniqueFd open_named(const Making& making, const model::OpenFile& file) {
  NamedFile named =
      find_named_file(making.surroundings.root, file.target(), file.identity(), open_flags(file));
  if (!named.fd.valid()) {
    if (making.options.changed != FileOptions::Changed::Sandbox) throw Error("it is gone");
    return reopen(making.surroundings.lost->find_or_make(
                      file.identity(), [&] { return make_without_name(making, file); }),
                  open_flags(file));
  }
  if (file.deleted() && named.whereabouts == Whereabouts::Elsewhere) {
    UniqueFd renamed = open_by_lost_name(making.surroundings.root, file, named.fd.get());
    if (renamed.valid()) return renamed;
  }
  return std::move(named.fd);
}

}  // namespace

void make_regular_file(Making& making, const model::OpenFile& file) {
  UniqueFd fd = file.identity().links() == 0 ? open_lost(making, file) : open_named(making, file);
  if ((file.flags() & O_PATH) == 0 && ::lseek(fd.get(), file.position(), SEEK_SET) < 0) {
    throw_errno("lseek");
  }
  making.made.emplace(file.id(), std::move(fd));
}

Objection check_regular_file(const Checking& checking, const model::OpenFile& file) {
  if (file.identity().links() > 0 || can_make_lost_file(checking.model, file.identity())) return {};
  if (checking.options.changed == FileOptions::Changed::Sandbox && is_written(file)) return {};
  return {"the file is deleted, and its content is not in the snapshot", ""};
}

}  // namespace icecore::replay

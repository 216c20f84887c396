// SPDX-License-Identifier: Apache-2.0
#include "replay/files/file_changes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "replay/files/file_comparison.h"
#include "snapshot/capture/file_identity.h"

namespace icecore::replay {
namespace {

/// As good as the file itself, by what a backup keeps: size and time of modification.
bool is_copy(int fd, const model::FileIdentity& identity) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return false;
  model::FileIdentity now;
  snapshot::fill_identity(status, now);
  return now.size() == identity.size() && now.mtime_ns() == identity.mtime_ns();
}

class Search {
 public:
  Search(const snapshot::StoredSnapshot& snapshot, int root) : snapshot_(snapshot), root_(root) {}

  std::vector<FileChange> run() {
    const model::Snapshot& model = snapshot_.model();
    // Writers first: of a file that some read and some write, what counts is that it is written.
    for (const bool writing : {true, false}) {
      for (const auto& process : model.processes()) {
        for (const auto& descriptor : process.descriptors()) look_at(process, descriptor, writing);
        if (!writing) continue;
        for (const auto& mapping : process.mappings()) look_at(process, mapping);
      }
    }
    return std::move(changes_);
  }

 private:
  void look_at(const model::Process& process, const model::FileDescriptor& descriptor,
               bool writing) {
    const auto index = static_cast<int>(descriptor.description()) - 1;
    if (index < 0 || index >= snapshot_.model().open_files_size()) return;
    const model::OpenFile& file = snapshot_.model().open_files(index);
    if (file.kind() != model::OpenFile::REGULAR || (file.flags() & O_PATH) != 0) return;
    if (((file.flags() & O_ACCMODE) != O_RDONLY) != writing) return;
    FileChange change;
    change.pid = process.pid();
    change.object = "fd " + std::to_string(descriptor.fd()) + " (" + file.target() + ")";
    change.path = file.target();
    change.identity = file.identity();
    judge(std::move(change), writing);
  }

  void look_at(const model::Process& process, const model::Mapping& mapping) {
    if (mapping.shared_space() == 0) return;
    for (const auto& object : snapshot_.model().shared_objects()) {
      const bool is_file =
          object.kind() == model::SharedObject::FILE || object.kind() == model::SharedObject::TMPFS;
      if (object.space() != mapping.shared_space() || !is_file) continue;
      FileChange change;
      change.pid = process.pid();
      change.object = "shared mapping (" + object.name() + ")";
      change.path = object.name();
      change.identity = object.identity();
      judge(std::move(change), true);
    }
  }

  void judge(FileChange change, bool writing) {
    change.use = writing ? FileChange::Use::Written : FileChange::Use::Read;
    const auto& identity = change.identity;
    if (identity.links() == 0 || identity.inode() == 0) return;
    if (!seen_.insert({identity.device(), identity.inode()}).second) return;
    NamedFile now = find_named_file(root_, change.path, identity, O_RDONLY | O_NONBLOCK);
    change.whereabouts = now.whereabouts;
    change.content = find_content(snapshot_.model(), identity);
    if (now.whereabouts == Whereabouts::Gone) {
      change.what = "it is gone";
    } else if (now.whereabouts == Whereabouts::Replaced) {
      if (is_copy(now.fd.get(), identity) || has_held_content(change, now.fd.get())) return;
      change.what = "another file is at its path now";
    } else {
      change.what = difference(change, now.fd.get(), writing);
      if (change.what.empty()) return;
    }
    changes_.push_back(std::move(change));
  }

  bool has_held_content(const FileChange& change, int fd) const {
    return change.content && has_content(snapshot_, *change.content, fd);
  }

  /// Empty when there is none that matters.
  std::string difference(const FileChange& change, int fd, bool writing) const {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return "it cannot be looked at";
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::string sizes = "it had " + std::to_string(change.identity.size()) +
                              " bytes and has " + std::to_string(size);
    // Who only reads a file must expect that others write it, but not to lose its place.
    if (!writing) return size < change.identity.size() ? sizes : "";
    if (compare_identity(fd, change.identity) != Likeness::Different) return "";
    if (has_held_content(change, fd)) return "";
    return size != change.identity.size() ? sizes : "it has been written to since";
  }

  const snapshot::StoredSnapshot& snapshot_;
  int root_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::vector<FileChange> changes_;
};

}  // namespace

std::vector<FileChange> find_file_changes(const snapshot::StoredSnapshot& snapshot, int root) {
  return Search(snapshot, root).run();
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/files/file_policy.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>

#include "base/error.h"
#include "replay/files/file_changes.h"
#include "replay/files/lost_file_content.h"
#include "replay/files/lost_files.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

using Changed = FileOptions::Changed;

UniqueFd open_root() { return UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)); }

bool is_missing(const FileChange& change) {
  return change.whereabouts == Whereabouts::Gone || change.whereabouts == Whereabouts::Replaced;
}

/// Whoever only writes it finds its place in a file without content.
bool is_replaceable(const FileChange& change) { return change.use == FileChange::Use::Written; }

Refusal refusal_of(const FileChange& change, std::string reason, std::string hint) {
  return {change.pid, change.object, std::move(reason), std::move(hint)};
}

/// Under a name of ours first, then put at its path in one step.
void make_anew(const FileChange& change, int root, const std::function<void(int)>& fill) {
  const UniqueFd directory = open_in_tree(root, directory_of(change.path), O_RDONLY | O_DIRECTORY);
  const std::string name = name_of(change.path);
  const std::string passing = "." + name + ".icecore-" + std::to_string(::getpid());
  const UniqueFd file(::openat(directory.get(), passing.c_str(),
                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) throw_errno("create " + passing);
  try {
    fill(file.get());
    if (::renameat(directory.get(), passing.c_str(), directory.get(), name.c_str()) != 0) {
      throw_errno("rename");
    }
  } catch (...) {
    ::unlinkat(directory.get(), passing.c_str(), 0);
    throw;
  }
}

void make_anew(const snapshot::StoredSnapshot& snapshot, const FileChange& change, int root) {
  make_anew(change, root, [&](int file) {
    write_content(snapshot, *change.content, file);
    restore_attributes(file, change.identity);
  });
}

void copy_anew(const FileChange& change, int original, int root) {
  make_anew(change, root, [&](int file) {
    restore_attributes(file, change.identity);
    if (::ftruncate(file, 0) != 0) throw_errno("ftruncate");
    while (true) {
      constexpr std::size_t kPiece = std::size_t{1} << 30U;
      const ssize_t copied = ::sendfile(file, original, nullptr, kPiece);
      if (copied < 0) throw_errno("copying it");
      if (copied == 0) return;
    }
  });
}

/// Only what fill_named_memory() brings back: a file beside it that was open and never mapped is
/// one like any other.
bool is_named_memory(const model::Snapshot& snapshot, const FileChange& change) {
  const auto objects = named_memory(snapshot);
  return std::any_of(objects.begin(), objects.end(), [&](const auto* object) {
    return is_same_file(object->identity(), change.identity);
  });
}

void write_back(const snapshot::StoredSnapshot& snapshot, const HeldContent& content,
                const model::FileIdentity& identity, int fd) {
  roll_back_content(snapshot, content, fd);
  restore_attributes(fd, identity);
}

void fill_private_file(const snapshot::StoredSnapshot& snapshot, const std::string& path,
                       const model::FileIdentity& identity, store::SpaceId space, int root) {
  const HeldContent content{space, identity.size()};
  with_context("rolling back a private " + path, [&] {
    const UniqueFd file = try_open_in_tree(root, path, O_RDWR | O_NONBLOCK);
    if (file.valid()) {
      if (has_content(snapshot, content, file.get())) return;
      write_back(snapshot, content, identity, file.get());
    } else if (errno == ENOENT) {
      // Without its directory, whoever has it open gets it without a name.
      if (!try_open_in_tree(root, directory_of(path), O_PATH).valid()) return;
      FileChange change;
      change.path = path;
      change.identity = identity;
      change.content = content;
      make_anew(snapshot, change, root);
    } else {
      throw_errno("open");
    }
  });
}

}  // namespace

Refusals check_file_changes(const snapshot::StoredSnapshot& snapshot, const FileOptions& options,
                            bool in_place) {
  Refusals refusals;
  if (options.has_private_view() && in_place) {
    refusals.push_back({0, "a private view of files", "it needs a mount namespace of its own",
                        "restore without --in-place"});
    return refusals;
  }
  const UniqueFd root = open_root();
  for (const auto& change : find_file_changes(snapshot, root.get())) {
    const std::string keep = "--files keep uses it as it is";
    const bool gone = change.whereabouts == Whereabouts::Gone;
    if (options.changed == Changed::Refuse) {
      if (!in_place && is_named_memory(snapshot.model(), change))
        continue;  // the tree gets its own
      const std::string back = "--files rollback writes the recorded content back";
      refusals.push_back(
          refusal_of(change, change.what,
                     change.content ? (gone ? back : back + ", " + keep) : (gone ? "" : keep)));
    } else if (options.changed == Changed::Keep) {
      if (!gone) continue;
      refusals.push_back(
          refusal_of(change, change.what, change.content ? "--files rollback makes it anew" : ""));
    } else if (options.changed == Changed::Sandbox) {
      if (change.content || !gone || is_replaceable(change)) continue;
      refusals.push_back(refusal_of(change, change.what, ""));
    } else if (!change.content) {
      refusals.push_back(refusal_of(
          change, change.what + ", and its content is not in the snapshot", gone ? "" : keep));
    }
  }
  return refusals;
}

std::vector<std::string> preview_rollback(const snapshot::StoredSnapshot& snapshot) {
  std::vector<std::string> lines;
  const UniqueFd root = open_root();
  for (const auto& change : find_file_changes(snapshot, root.get())) {
    if (change.content) lines.push_back(change.path + ": " + change.what);
  }
  return lines;
}

std::string describe_taken_files(const snapshot::StoredSnapshot& snapshot) {
  constexpr const char* kHoles = ": zeros stand for what it had";
  std::string text;
  const auto add = [&](const std::string& path, const std::string& what) {
    text += (text.empty() ? "" : ", ") + path + " (" + what + ")";
  };
  const UniqueFd root = open_root();
  for (const auto& change : find_file_changes(snapshot, root.get())) {
    if (change.content) continue;
    add(change.path, change.what + (change.whereabouts == Whereabouts::Gone ? kHoles : ""));
  }
  for (const auto& file : snapshot.model().open_files()) {
    const bool deleted = file.kind() == model::OpenFile::REGULAR && file.identity().links() == 0;
    if (!deleted || can_make_lost_file(snapshot.model(), file.identity())) continue;
    add(file.target(), std::string("it was deleted") + kHoles);
  }
  return text.empty() ? text : "not as they were: " + text;
}

void make_missing_files(const snapshot::StoredSnapshot& snapshot, int root) {
  for (const auto& change : find_file_changes(snapshot, root)) {
    if (!change.content || !is_missing(change)) continue;
    with_context("rolling back " + change.path, [&] { make_anew(snapshot, change, root); });
  }
}

void roll_back_files(const snapshot::StoredSnapshot& snapshot, int root) {
  for (const auto& change : find_file_changes(snapshot, root)) {
    if (!change.content || is_missing(change)) continue;
    with_context("rolling back " + change.path, [&] {
      const NamedFile file =
          find_named_file(root, change.path, change.identity, O_RDWR | O_NONBLOCK);
      write_back(snapshot, *change.content, change.identity, file.fd.get());
    });
  }
}

void take_present_files(const snapshot::StoredSnapshot& snapshot, int root) {
  const UniqueFd machine = open_root();
  for (const auto& change : find_file_changes(snapshot, machine.get())) {
    if (change.content || change.use != FileChange::Use::Written) continue;
    with_context("a private " + change.path, [&] {
      if (change.whereabouts == Whereabouts::Elsewhere) {
        const NamedFile now =
            find_named_file(machine.get(), change.path, change.identity, O_RDONLY | O_NONBLOCK);
        copy_anew(change, now.fd.get(), root);
      } else if (change.whereabouts != Whereabouts::Gone) {
        // The first open for writing makes the copy that all later ones find.
        const UniqueFd copied = open_in_tree(root, change.path, O_RDWR | O_NONBLOCK);
      }
    });
  }
}

void fill_private_view(const snapshot::StoredSnapshot& snapshot, int root) {
  for (const auto& kept : snapshot.model().kept_files()) {
    if (kept.cause() != model::KeptFile::WRITTEN) continue;
    fill_private_file(snapshot, kept.path(), kept.identity(), store::SpaceId{kept.space()}, root);
  }
  fill_named_memory(snapshot, root);
}

void fill_named_memory(const snapshot::StoredSnapshot& snapshot, int root) {
  for (const auto* object : named_memory(snapshot.model())) {
    fill_private_file(snapshot, object->name(), object->identity(), store::SpaceId{object->space()},
                      root);
  }
}

}  // namespace icecore::replay

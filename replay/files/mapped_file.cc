// SPDX-License-Identifier: Apache-2.0
#include "replay/files/mapped_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "replay/files/file_comparison.h"
#include "replay/files/lost_file_content.h"
#include "replay/files/lost_files.h"
#include "replay/files/named_file.h"
#include "replay/files/passing_directories.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

const model::MappedFile* file_of(const model::Snapshot& snapshot, const model::Mapping& mapping) {
  if (mapping.file() == 0) return nullptr;
  return &snapshot.mapped_files(static_cast<int>(mapping.file()) - 1);
}

const model::SharedObject* object_of(const model::Snapshot& snapshot,
                                     const model::Mapping& mapping) {
  for (const auto& object : snapshot.shared_objects()) {
    if (mapping.shared_space() != 0 && object.space() == mapping.shared_space()) return &object;
  }
  return nullptr;
}

UniqueFd copy_from_store(const store::StoredFile& stored, const model::MappedFile& file, int root) {
  UniqueFd copy = make_nameless_file(root, file.path());
  std::vector<std::byte> buffer(std::size_t{1} << 20U);
  for (std::uint64_t offset = 0; offset < stored.size();) {
    const std::size_t got = stored.read(offset, buffer);
    if (::pwrite(copy.get(), buffer.data(), got, static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(got)) {
      throw_errno("copying " + file.path() + " from the store");
    }
    offset += got;
  }
  restore_attributes(copy.get(), file.identity());
  return copy;
}

/// The file at its path when it serves the mapping, else a copy.
UniqueFd open_program_file(const snapshot::StoredSnapshot& snapshot, const model::MappedFile& file,
                           const Surroundings& surroundings) {
  if (!file.deleted()) {
    UniqueFd fd = try_open_in_tree(surroundings.root, file.path(), O_RDONLY | O_NONBLOCK);
    if (fd.valid() && serves_mapping(snapshot, file, fd.get())) return fd;
  }
  const auto stored = snapshot.open_content(file.content());
  if (!stored) {
    throw Refused(file.path() + (file.deleted() ? " was deleted" : " is gone or has changed") +
                  " and its content is not in the snapshot");
  }
  const int copy = surroundings.lost->find_or_make(file.identity(), [&] {
    const UniqueFd made = copy_from_store(*stored, file, surroundings.root);
    // While anybody can write to it, the kernel does not take it for a process's executable.
    return reopen(made.get(), O_RDONLY);
  });
  return reopen(copy, O_RDONLY);
}

const model::MappedFile* find_executable(const model::Snapshot& snapshot,
                                         const model::Process& process) {
  for (const auto& mapping : process.mappings()) {
    const auto* file = file_of(snapshot, mapping);
    if (file != nullptr && file->path() == process.executable() &&
        file->deleted() == process.executable_deleted()) {
      return file;
    }
  }
  return nullptr;
}

}  // namespace

UniqueFd open_mapped_file(const snapshot::StoredSnapshot& snapshot, const model::Mapping& mapping,
                          const Surroundings& surroundings, bool writable, FileOptions options) {
  if (const auto* object = object_of(snapshot.model(), mapping)) {
    return open_shared_file(snapshot, *object, surroundings, options);
  }
  const auto* file = file_of(snapshot.model(), mapping);
  if (file == nullptr) throw Error("the mapping of " + mapping.name() + " has no file");
  if (!writable) return open_program_file(snapshot, *file, surroundings);
  NamedFile named =
      find_named_file(surroundings.root, file->path(), file->identity(), O_RDWR | O_NONBLOCK);
  if (!named.fd.valid()) throw Error(file->path() + " is gone");
  return std::move(named.fd);
}

UniqueFd open_shared_file(const snapshot::StoredSnapshot& snapshot,
                          const model::SharedObject& object, const Surroundings& surroundings,
                          FileOptions /*options*/) {
  const auto& identity = object.identity();
  if (identity.links() == 0 && identity.inode() != 0) {
    const int copy = surroundings.lost->find_or_make(identity, [&] {
      return make_lost_file(snapshot, object.name(), identity, surroundings.root);
    });
    return reopen(copy, O_RDWR);
  }
  NamedFile named =
      find_named_file(surroundings.root, object.name(), identity, O_RDWR | O_NONBLOCK);
  if (!named.fd.valid()) throw Error(object.name() + " is gone");
  return std::move(named.fd);
}

UniqueFd open_executable(const snapshot::StoredSnapshot& snapshot, const model::Process& process,
                         const Surroundings& surroundings) {
  if (const auto* file = find_executable(snapshot.model(), process)) {
    return open_program_file(snapshot, *file, surroundings);
  }
  return open_in_tree(surroundings.root, process.executable(), O_RDONLY);
}

UniqueFd open_working_directory(const model::Process& process, const Surroundings& surroundings) {
  constexpr unsigned kFlags = O_PATH | O_DIRECTORY;
  const std::string& path = process.working_directory();
  UniqueFd fd = try_open_in_tree(surroundings.root, path, kFlags);
  if (fd.valid()) return fd;
  if (!path.ends_with(kDeleted)) throw_errno("open " + path);
  PassingDirectories made(surroundings.root, path.substr(0, path.size() - kDeleted.size()));
  if (!made.fd().valid()) throw_errno("mkdir " + path, made.error());
  // A directory of that name was made since: then it is the best there is.
  return made.take();
}

UniqueFd open_root_directory(const model::Process& process, const Surroundings& surroundings) {
  return open_in_tree(surroundings.root, process.root_directory(), O_PATH | O_DIRECTORY);
}

Refusals check_mapped_files(const snapshot::StoredSnapshot& snapshot,
                            const FileOptions& /*options*/) {
  Refusals refusals;
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::set<std::uint32_t> seen;
  for (const auto& process : snapshot.model().processes()) {
    for (const auto& mapping : process.mappings()) {
      const auto* file = file_of(snapshot.model(), mapping);
      if (file == nullptr || !seen.insert(mapping.file()).second) continue;
      const UniqueFd fd = file->deleted()
                              ? UniqueFd()
                              : try_open_in_tree(root.get(), file->path(), O_RDONLY | O_NONBLOCK);
      if (fd.valid() && compare_identity(fd.get(), file->identity()) == Likeness::Same) continue;
      if (snapshot.open_content(file->content())) continue;
      if (fd.valid() && serves_mapping(snapshot, *file, fd.get())) continue;
      refusals.push_back({process.pid(), "mapped file " + file->path(),
                          fd.valid() ? "it has changed, and the snapshot does not hold its content"
                                     : "it is gone, and the snapshot does not hold its content",
                          ""});
    }
  }
  return refusals;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/files/named_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

bool is_file(int fd, const model::FileIdentity& identity) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_dev == identity.device() &&
         status.st_ino == identity.inode();
}

/// By its handle, on the file system where `path` was. A handle also holds the inode's generation,
/// so that another file with the same number is never taken for it.
UniqueFd open_by_handle(int root, const std::string& path, const std::string& known,
                        unsigned flags) {
  std::int32_t type = 0;
  if (known.size() <= sizeof type || known.size() - sizeof type > MAX_HANDLE_SZ) return {};
  const UniqueFd directory = try_open_in_tree(root, directory_of(path), O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) return {};
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  auto* const handle = reinterpret_cast<file_handle*>(room.data());
  std::memcpy(&type, known.data(), sizeof type);
  handle->handle_type = type;
  handle->handle_bytes = static_cast<unsigned>(known.size() - sizeof type);
  std::memcpy(handle->f_handle, known.data() + sizeof type, handle->handle_bytes);
  return UniqueFd(
      ::open_by_handle_at(directory.get(), handle, static_cast<int>(flags | O_CLOEXEC)));
}

}  // namespace

NamedFile find_named_file(int root, const std::string& path, const model::FileIdentity& identity,
                          unsigned flags) {
  NamedFile found;
  found.fd = try_open_in_tree(root, path, flags);
  const bool at_path = found.fd.valid();
  if (!at_path && errno != ENOENT && errno != ENOTDIR) throw_errno("open " + path);
  if (at_path && is_file(found.fd.get(), identity)) {
    found.whereabouts = Whereabouts::AtItsPath;
    return found;
  }
  UniqueFd elsewhere = open_by_handle(root, path, identity.handle(), flags);
  struct stat status {};
  if (elsewhere.valid() && is_file(elsewhere.get(), identity) &&
      ::fstat(elsewhere.get(), &status) == 0 && status.st_nlink > 0) {
    found.fd = std::move(elsewhere);
    found.whereabouts = Whereabouts::Elsewhere;
  } else if (at_path) {
    found.whereabouts = Whereabouts::Replaced;
  }
  return found;
}

}  // namespace icecore::replay

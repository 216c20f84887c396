// SPDX-License-Identifier: Apache-2.0
#include "replay/files/lost_file_content.h"

#include <unistd.h>

#include <vector>

#include "base/error.h"
#include "replay/files/held_content.h"
#include "replay/files/lost_files.h"

namespace icecore::replay {
namespace {

/// The content of a file that was mapped private: stored whole, by its hash.
const model::MappedFile* find_mapped(const model::Snapshot& snapshot,
                                     const model::FileIdentity& identity) {
  for (const auto& file : snapshot.mapped_files()) {
    const bool same = file.identity().device() == identity.device() &&
                      file.identity().inode() == identity.inode();
    if (same && !file.content().empty()) return &file;
  }
  return nullptr;
}

void copy(const store::StoredFile& stored, int fd) {
  std::vector<std::byte> buffer(std::size_t{1} << 20U);
  for (std::uint64_t offset = 0; offset < stored.size();) {
    const std::size_t got = stored.read(offset, buffer);
    if (::pwrite(fd, buffer.data(), got, static_cast<off_t>(offset)) != static_cast<ssize_t>(got)) {
      throw_errno("copying it from the store");
    }
    offset += got;
  }
}

}  // namespace

bool can_make_lost_file(const model::Snapshot& snapshot, const model::FileIdentity& identity) {
  return identity.size() == 0 || find_content(snapshot, identity) ||
         find_mapped(snapshot, identity) != nullptr;
}

void fill_lost_file(const snapshot::StoredSnapshot& snapshot, const model::FileIdentity& identity,
                    int fd) {
  if (const auto content = find_content(snapshot.model(), identity)) {
    write_content(snapshot, *content, fd);
  } else if (const auto* mapped = find_mapped(snapshot.model(), identity)) {
    const auto stored = snapshot.open_content(mapped->content());
    if (!stored) throw Error("its content is not in the store");
    copy(*stored, fd);
  } else if (identity.size() != 0) {
    throw Refused("its content is not in the snapshot");
  }
  restore_attributes(fd, identity);
}

UniqueFd make_lost_file(const snapshot::StoredSnapshot& snapshot, const std::string& path,
                        const model::FileIdentity& identity, int root) {
  UniqueFd fd = make_nameless_file(root, path);
  fill_lost_file(snapshot, identity, fd.get());
  return fd;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {

/// Devices without a state of their own, such as /dev/null: see the limitations of a snapshot.
void make_device(Making& making, const model::OpenFile& file) {
  const bool is_path = (file.flags() & O_PATH) != 0;
  const unsigned flags =
      is_path ? O_PATH : (file.flags() & ~static_cast<unsigned>(O_ASYNC)) | O_NOCTTY;
  UniqueFd fd = open_in_tree(making.surroundings.root, file.target(), flags);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno("stat");
  if (!S_ISCHR(status.st_mode) || status.st_rdev != file.identity().rdev()) {
    throw Refused("another device is there now");
  }
  if (!is_path) ::lseek(fd.get(), file.position(), SEEK_SET);  // most have no position
  making.made.emplace(file.id(), std::move(fd));
}

}  // namespace icecore::replay

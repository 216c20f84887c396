// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "replay/files/makers.h"

namespace icecore::replay {

void make_plain_file(Making& making, const model::OpenFile& file) {
  constexpr unsigned kOnlyWhenMade = O_CREAT | O_EXCL | O_TRUNC;
  open_how how{};
  how.flags = (file.flags() & ~kOnlyWhenMade) | O_CLOEXEC | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT;
  UniqueFd fd(static_cast<int>(
      ::syscall(SYS_openat2, making.surroundings.root, file.target().c_str(), &how, sizeof how)));
  if (!fd.valid()) throw_errno("open");
  if ((file.flags() & O_PATH) == 0 && file.kind() == model::OpenFile::REGULAR &&
      ::lseek(fd.get(), file.position(), SEEK_SET) < 0) {
    throw_errno("lseek");
  }
  making.made.emplace(file.id(), std::move(fd));
}

}  // namespace icecore::replay

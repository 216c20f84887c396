// SPDX-License-Identifier: Apache-2.0
#include "replay/files/status_flags.h"

#include <string>

#include "base/error.h"

namespace icecore::replay {

void set_status_flags(int fd, const model::OpenFile& file) {
  const int now = ::fcntl(fd, F_GETFL);
  const auto wanted = (static_cast<unsigned>(now) & ~kStatusFlags) | (file.flags() & kStatusFlags);
  if (static_cast<unsigned>(now) == wanted) return;
  if (::fcntl(fd, F_SETFL, wanted) != 0) throw_errno("set the file's flags");
}

int reopen(int fd, const model::OpenFile& file) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const auto flags = (file.flags() & (O_ACCMODE | kStatusFlags)) | O_CLOEXEC | O_NOCTTY;
  const int opened = ::open(path.c_str(), static_cast<int>(flags));
  if (opened < 0) throw_errno("open once more");
  return opened;
}

}  // namespace icecore::replay

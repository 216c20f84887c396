// SPDX-License-Identifier: Apache-2.0
#include "cli/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::cli {

void write_pid_file(const std::string& file, const std::vector<int>& pids) {
  if (file.empty()) return;
  std::string text;
  for (const int pid : pids) text += std::to_string(pid) + "\n";
  // Shortened afterwards, not emptied before: ext4 waits for the disk when a file that was emptied
  // is closed, and here somebody waits for us. (A pipe has no length.)
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!fd.valid() ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      (::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0 && errno != EINVAL)) {
    throw_errno("write " + file);
  }
}

}  // namespace icecore::cli

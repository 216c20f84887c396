// SPDX-License-Identifier: Apache-2.0
#include "replay/image/cgroup_move.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/cgroups.h"

namespace icecore::replay {

void move_to_own_cgroups(int pid) {
  const auto own = cgroups_of("self");
  const auto its = cgroups_of(std::to_string(pid));
  if (own == its) return;
  const auto mounts = own_mounts();
  for (const auto& [controllers, path] : own) {
    const auto other = its.find(controllers);
    if (other != its.end() && other->second == path) continue;
    const std::string directory = cgroup_directory(mounts, controllers, path);
    if (directory.empty()) continue;
    const std::string file = directory + "/cgroup.procs";
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    const std::string text = std::to_string(pid);
    if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) < 0) {
      throw_errno("moving the copy into our cgroup " + directory);
    }
  }
}

}  // namespace icecore::replay

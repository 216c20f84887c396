// SPDX-License-Identifier: Apache-2.0
#include "replay/image/cgroups.h"

#include <sstream>

#include "snapshot/capture/proc_directory.h"

namespace icecore::replay {

using snapshot::proc::Mount;

std::map<std::string, std::string> cgroups_of(const std::string& process) {
  std::map<std::string, std::string> paths;
  std::istringstream lines(snapshot::ProcDirectory::read_file("/proc/" + process + "/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    paths[line.substr(first + 1, second - first - 1)] = line.substr(second + 1);
  }
  return paths;
}

bool has_controllers(const std::string& options, const std::string& controllers) {
  std::istringstream words(controllers);
  for (std::string word; std::getline(words, word, ',');) {
    if (("," + options + ",").find("," + word + ",") == std::string::npos) return false;
  }
  return true;
}

std::vector<Mount> own_mounts() {
  return snapshot::proc::parse_mountinfo(
      snapshot::ProcDirectory::read_file("/proc/self/mountinfo"));
}

std::string cgroup_directory(const std::vector<Mount>& mounts, const std::string& controllers,
                             const std::string& path) {
  for (const auto& mount : mounts) {
    const bool fits = controllers.empty() ? mount.type == "cgroup2"
                                          : mount.type == "cgroup" &&
                                                has_controllers(mount.super_options, controllers);
    // A mount of a part shows what is below its root.
    const std::string root = mount.root == "/" ? "" : mount.root;
    if (fits && path.starts_with(root)) return mount.mount_point + path.substr(root.size());
  }
  return {};
}

}  // namespace icecore::replay

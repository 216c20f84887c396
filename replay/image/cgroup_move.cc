// SPDX-License-Identifier: Apache-2.0
#include "replay/image/cgroup_move.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "snapshot/proc/mountinfo.h"

namespace icecore::replay {
namespace {

using snapshot::proc::Mount;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// /proc/PID/cgroup: "memory" or "name=systemd" to the path, "" for the hierarchy of version 2.
std::map<std::string, std::string> cgroups_of(const std::string& process) {
  std::map<std::string, std::string> paths;
  std::istringstream lines(read_text("/proc/" + process + "/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    paths[line.substr(first + 1, second - first - 1)] = line.substr(second + 1);
  }
  return paths;
}

/// "rw,cpu,cpuacct" has all of "cpu,cpuacct".
bool has_controllers(const std::string& options, const std::string& controllers) {
  std::istringstream words(controllers);
  for (std::string word; std::getline(words, word, ',');) {
    if (("," + options + ",").find("," + word + ",") == std::string::npos) return false;
  }
  return true;
}

/// The directory of `path` in the hierarchy of `controllers`; empty when it is not mounted.
std::string directory_of(const std::vector<Mount>& mounts, const std::string& controllers,
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

}  // namespace

void move_to_own_cgroups(int pid) {
  const auto own = cgroups_of("self");
  const auto its = cgroups_of(std::to_string(pid));
  if (own == its) return;
  const auto mounts = snapshot::proc::parse_mountinfo(read_text("/proc/self/mountinfo"));
  for (const auto& [controllers, path] : own) {
    const auto other = its.find(controllers);
    if (other != its.end() && other->second == path) continue;
    const std::string directory = directory_of(mounts, controllers, path);
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

// SPDX-License-Identifier: Apache-2.0
#include "replay/image/cgroups.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"
#include "snapshot/capture/proc_directory.h"

namespace icecore::replay {

using snapshot::proc::Mount;

namespace {

std::string words_of(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  std::ranges::replace(line, ' ', ',');
  return line;
}

}  // namespace

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

int write_cgroup_file(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  return ::write(fd.get(), text.data(), text.size()) < 0 ? errno : 0;
}

CgroupParent parent_with(const std::string& own, const std::string& mount,
                         const std::string& controllers) {
  int error = ENOENT;
  std::string wanted = "+" + controllers;
  if (const auto comma = wanted.find(','); comma != std::string::npos) {
    wanted.replace(comma, 1, " +");
  }
  for (std::string parent = own; parent.size() >= mount.size();
       parent = std::filesystem::path(parent).parent_path()) {
    const std::string control = parent + "/cgroup.subtree_control";
    if (has_controllers(words_of(control), controllers)) return {parent, 0};
    error = write_cgroup_file(control, wanted);
    if (error == 0) return {parent, 0};
  }
  return {"", error};
}

}  // namespace icecore::replay

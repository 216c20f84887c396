// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "snapshot/proc/mountinfo.h"

namespace icecore::replay {

/// The cgroups that a process ("self", "123") is in, by /proc/PID/cgroup: "memory", "cpu,cpuacct"
/// or "name=systemd" to the path, "" for the hierarchy of version 2.
[[nodiscard]] std::map<std::string, std::string> cgroups_of(const std::string& process);

/// The mounts that we see.
[[nodiscard]] std::vector<snapshot::proc::Mount> own_mounts();

/// The directory of cgroup `path` in the hierarchy of `controllers`; empty when it is not mounted.
[[nodiscard]] std::string cgroup_directory(const std::vector<snapshot::proc::Mount>& mounts,
                                           const std::string& controllers, const std::string& path);

/// "rw,cpu,cpuacct" has all of "cpu,cpuacct".
[[nodiscard]] bool has_controllers(const std::string& options, const std::string& controllers);

/// 0 or errno.
int write_cgroup_file(const std::string& path, const std::string& text);

/// Of version 2, whose cgroups get controllers only from a parent that passes them on, which one
/// that has processes of its own may not do (but the root): `own` or the nearest above it, down
/// from `mount`, that does or, asked by us, will. `error` is 0 or why there is none.
struct CgroupParent {
  std::string directory;
  int error = 0;
};
[[nodiscard]] CgroupParent parent_with(const std::string& own, const std::string& mount,
                                       const std::string& controllers);

}  // namespace icecore::replay

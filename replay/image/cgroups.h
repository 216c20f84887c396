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

}  // namespace icecore::replay

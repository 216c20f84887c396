// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// One mount of /proc/PID/mountinfo, its paths unescaped.
struct Mount {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::uint64_t device = 0;  ///< as st_dev
  std::string root;          ///< which part of the file system is mounted
  std::string mount_point;
  std::string options;
  std::string type;  ///< "ext4", "cgroup2"
  std::string source;
  std::string super_options;
};

std::vector<Mount> parse_mountinfo(std::string_view text);

/// Where the whole cgroup v2 hierarchy is mounted, wherever that is; a mount of only a part of it
/// will do when there is nothing better.
const Mount* find_cgroup2(const std::vector<Mount>& mounts);

}  // namespace icecore::snapshot::proc

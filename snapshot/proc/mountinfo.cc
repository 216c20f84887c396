// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/mountinfo.h"

#include <sys/sysmacros.h>

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
    std::string_view line = take_line(text);
    Mount mount;
    mount.id = take_number<std::uint64_t>(line);
    mount.parent = take_number<std::uint64_t>(line);
    const std::string_view device = take_word(line);
    const auto colon = device.find(':');
    if (colon == std::string_view::npos) continue;
    mount.device = makedev(to_number<unsigned>(device.substr(0, colon)).value_or(0),
                           to_number<unsigned>(device.substr(colon + 1)).value_or(0));
    mount.root = unescape_octal(take_word(line));
    mount.mount_point = unescape_octal(take_word(line));
    mount.options = take_word(line);
    std::string_view word = take_word(line);
    while (!word.empty() && word != "-") word = take_word(line);  // optional fields
    if (word.empty()) continue;
    mount.type = take_word(line);
    mount.source = unescape_octal(take_word(line));
    mount.super_options = take_word(line);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

const Mount* find_cgroup2(const std::vector<Mount>& mounts) {
  const Mount* part = nullptr;
  for (const Mount& mount : mounts) {
    if (mount.type != "cgroup2") continue;
    if (mount.root == "/") return &mount;
    if (part == nullptr) part = &mount;
  }
  return part;
}

}  // namespace icecore::snapshot::proc

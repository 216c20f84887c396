// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/fdinfo.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

FdInfo parse_fdinfo(std::string_view text) {
  FdInfo info;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const auto colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (name == "pos") {
      info.position = take_number<std::int64_t>(value);
    } else if (name == "flags") {
      info.flags = take_number<unsigned>(value, 8);
    } else if (name == "mnt_id") {
      info.mount_id = take_number<std::uint64_t>(value);
    } else if (name == "ino") {
      info.inode = take_number<std::uint64_t>(value);
    } else if (!line.empty()) {
      info.extra.push_back(line);
    }
  }
  return info;
}

std::string_view fdinfo_value(const FdInfo& info, std::string_view name) {
  for (std::string_view line : info.extra) {
    if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    skip_blanks(line);
    return line;
  }
  return {};
}

std::vector<EpollTarget> parse_epoll_targets(const std::vector<std::string_view>& extra) {
  std::vector<EpollTarget> targets;
  // "tfd:        5 events:       19 data: ffffffffffffffff  pos:0 ino:61af sdev:7"
  for (std::string_view line : extra) {
    if (take_word(line) != "tfd:") continue;
    EpollTarget target;
    target.fd = take_number<int>(line);
    take_word(line);
    target.events = take_number<unsigned>(line, 16);
    take_word(line);
    target.data = take_number<std::uint64_t>(line, 16);
    for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
      if (!word.starts_with("ino:")) continue;
      target.inode = to_number<std::uint64_t>(word.substr(4), 16).value_or(0);
    }
    targets.push_back(target);
  }
  return targets;
}

}  // namespace icecore::snapshot::proc

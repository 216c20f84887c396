// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// /proc/PID/fdinfo/N: what all kinds of file have, and the lines that only this kind has, as the
/// kernel wrote them, pointing into the text.
struct FdInfo {
  std::int64_t position = 0;
  unsigned flags = 0;  ///< O_*, with O_CLOEXEC when the descriptor has it
  std::uint64_t mount_id = 0;
  std::uint64_t inode = 0;  ///< 0 before Linux 5.14
  std::vector<std::string_view> extra;
};

FdInfo parse_fdinfo(std::string_view text);

/// The value behind "name:" in the extra lines, without blanks around it; empty when it is not
/// there.
std::string_view fdinfo_value(const FdInfo& info, std::string_view name);

/// One "tfd:" line of an epoll descriptor.
struct EpollTarget {
  int fd = -1;
  unsigned events = 0;
  std::uint64_t data = 0;
  std::uint64_t inode = 0;
};
std::vector<EpollTarget> parse_epoll_targets(const std::vector<std::string_view>& extra);

}  // namespace icecore::snapshot::proc

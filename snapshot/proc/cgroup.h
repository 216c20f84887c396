// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace icecore::snapshot::proc {

/// The path of a process in the cgroup v2 hierarchy ("0::/a/b" gives "/a/b") from /proc/PID/cgroup.
std::optional<std::string_view> unified_cgroup(std::string_view text);

/// Its path in the v1 hierarchy of `controller`, such as "freezer"; nullopt when that is not v1.
std::optional<std::string_view> v1_cgroup(std::string_view text, std::string_view controller);

}  // namespace icecore::snapshot::proc

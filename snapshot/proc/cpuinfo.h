// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// The first processor of /proc/cpuinfo.
struct CpuInfo {
  std::string model;
  std::vector<std::string> flags;
};

CpuInfo parse_cpuinfo(std::string_view text);

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace icecore::snapshot::proc {

/// The value of entry `type` (AT_*) in the bytes of /proc/PID/auxv of a 64-bit process.
std::optional<std::uint64_t> auxv_value(std::string_view bytes, std::uint64_t type);

}  // namespace icecore::snapshot::proc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace icecore::cli {

/// "4096", "512K", "64M", "2G", "64MiB": powers of 1024. nullopt when it is none of these or does
/// not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_byte_size(std::string_view text);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace icecore::cli {

[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

/// `text` in lines of at most `width` characters, each but the first after `indent` spaces.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::cli {

/// Those of `candidates` that a person who typed `word` may have meant: the nearest first, at most
/// three.
[[nodiscard]] std::vector<std::string> near_words(std::string_view word,
                                                  std::span<const std::string_view> candidates);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace icecore::store {

/// "near are a, b and c": those of `names` with the smallest edit distance to `wanted`, else the
/// first of them ("there are a, b and c").
[[nodiscard]] std::string near_names_text(std::string_view wanted,
                                          std::span<const std::string> names);

/// Insertions, deletions, replacements and swaps of neighbours that make one out of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "cli/near_words.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace icecore::cli {
namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> near_words(std::string_view word,
                                    std::span<const std::string_view> candidates) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string_view candidate : candidates) {
    const bool begins = word.size() >= 2 && candidate.starts_with(word);
    const std::size_t apart = begins ? 0 : distance(word, candidate);
    if (apart <= 1 + word.size() / 4 && apart < candidate.size()) {
      found.emplace_back(apart, candidate);
    }
  }
  std::ranges::sort(found);
  std::vector<std::string> names;
  for (const auto& [apart, name] : found) {
    if (names.size() < 3) names.push_back(name);
  }
  return names;
}

}  // namespace icecore::cli

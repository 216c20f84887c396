// SPDX-License-Identifier: Apache-2.0
#include "store/near_names.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace icecore::store {
namespace {

constexpr std::size_t kMost = 3;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::vector<std::size_t> row(right.size() + 1, i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replace = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      const bool swapped =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, std::move(row));
  }
  return last.back();
}

std::string near_names_text(std::string_view wanted, std::span<const std::string> names) {
  std::vector<std::pair<std::size_t, std::string>> by_distance;
  for (const std::string& name : names) {
    const bool begins = !wanted.empty() && name.starts_with(wanted);
    by_distance.emplace_back(begins ? 1 : edit_distance(wanted, name), name);
  }
  std::ranges::stable_sort(by_distance, {}, &std::pair<std::size_t, std::string>::first);
  std::vector<std::string> chosen;
  const std::size_t farthest = std::max<std::size_t>(2, wanted.size() / 3);
  for (const auto& [distance, name] : by_distance) {
    if (distance <= farthest && chosen.size() < kMost) chosen.push_back(name);
  }
  if (!chosen.empty()) return (chosen.size() == 1 ? "near is " : "near are ") + joined(chosen);
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) chosen.push_back(names[i]);
  return (chosen.size() == 1 ? "there is " : "there are ") + joined(chosen) +
         (names.size() > kMost ? " and others" : "");
}

}  // namespace icecore::store

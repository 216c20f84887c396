// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_ranges.h"

#include <algorithm>

namespace icecore::snapshot {
namespace {

std::uint64_t end_of(const store::PageRange& run) { return run.first + run.count; }

/// The first run that ends behind `page`.
PageSet::const_iterator run_at(const PageSet& set, std::uint64_t page) {
  return std::ranges::upper_bound(set, page, {}, end_of);
}

}  // namespace

void append_run(PageSet& set, std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  if (!set.empty() && end_of(set.back()) == first) {
    set.back().count += count;
  } else {
    set.push_back({first, count});
  }
}

PageSet subtract(const PageSet& from, const PageSet& what) {
  PageSet result;
  auto cut = what.begin();
  for (const auto& run : from) {
    std::uint64_t at = run.first;
    while (cut != what.end() && end_of(*cut) <= at) ++cut;
    for (auto hole = cut; hole != what.end() && hole->first < end_of(run); ++hole) {
      if (hole->first > at) append_run(result, at, hole->first - at);
      at = std::max(at, end_of(*hole));
    }
    if (at < end_of(run)) append_run(result, at, end_of(run) - at);
  }
  return result;
}

PageSet intersect(const PageSet& a, const PageSet& b) {
  PageSet result;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    const std::uint64_t first = std::max(left->first, right->first);
    const std::uint64_t end = std::min(end_of(*left), end_of(*right));
    if (first < end) append_run(result, first, end - first);
    if (end_of(*left) < end_of(*right)) {
      ++left;
    } else {
      ++right;
    }
  }
  return result;
}

PageSet unite(const PageSet& a, const PageSet& b) {
  PageSet all;
  all.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all),
             [](const auto& left, const auto& right) { return left.first < right.first; });
  PageSet result;
  for (const auto& run : all) {
    const std::uint64_t done = result.empty() ? 0 : end_of(result.back());
    if (!result.empty() && run.first < done) {
      if (end_of(run) > done) result.back().count += end_of(run) - done;
    } else {
      append_run(result, run.first, run.count);
    }
  }
  return result;
}

PageSet part_of(const PageSet& set, std::uint64_t first, std::uint64_t end) {
  PageSet result;
  for (auto run = run_at(set, first); run != set.end() && run->first < end; ++run) {
    const std::uint64_t from = std::max(run->first, first);
    result.push_back({from, std::min(end_of(*run), end) - from});
  }
  return result;
}

bool overlaps(const PageSet& set, std::uint64_t first, std::uint64_t end) {
  const auto run = run_at(set, first);
  return run != set.end() && run->first < end;
}

bool covers(const PageSet& set, std::uint64_t first, std::uint64_t end) {
  const auto run = run_at(set, first);
  return run != set.end() && run->first <= first && end_of(*run) >= end;
}

std::uint64_t page_count(const PageSet& set) {
  std::uint64_t count = 0;
  for (const auto& run : set) count += run.count;
  return count;
}

}  // namespace icecore::snapshot

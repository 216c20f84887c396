// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_sequence.h"

#include <gtest/gtest.h>

namespace icecore::snapshot {
namespace {

std::vector<store::SnapshotSummary> recording(
    std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> numbers_and_parents) {
  std::vector<store::SnapshotSummary> all;
  for (const auto& [number, parent] : numbers_and_parents) {
    store::SnapshotSummary summary;
    summary.key = {"r", number};
    summary.parent = parent;
    all.push_back(summary);
  }
  return all;
}

std::vector<std::uint64_t> line(const std::vector<store::SnapshotSummary>& all,
                                std::uint64_t number) {
  std::vector<std::uint64_t> numbers;
  for (const auto& summary : line_through(all, number)) numbers.push_back(summary.key.number);
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

TEST(SnapshotLine, FollowsParentsBothWays) {
  const auto all = recording({{1, 0}, {2, 1}, {3, 2}});
  EXPECT_EQ(line(all, 2), (Numbers{1, 2, 3}));
}

TEST(SnapshotLine, PassesOverSnapshotsThatWereRemoved) {
  const auto all = recording({{1, 0}, {4, 3}, {5, 4}});
  EXPECT_EQ(line(all, 5), (Numbers{1, 4, 5}));
  EXPECT_EQ(line(all, 1), (Numbers{1, 4, 5}));
}

TEST(SnapshotLine, KeepsABranchApart) {
  const auto all = recording({{1, 0}, {2, 1}, {3, 2}, {4, 1}, {5, 4}});
  EXPECT_EQ(line(all, 3), (Numbers{1, 2, 3}));
  EXPECT_EQ(line(all, 5), (Numbers{1, 4, 5}));
}

TEST(SnapshotLine, JoinsWhatSeparateRunsTook) {
  EXPECT_EQ(line(recording({{1, 0}, {2, 0}, {3, 0}}), 2), (Numbers{1, 2, 3}));
}

TEST(SnapshotLine, OfAnUnknownNumberIsEmpty) { EXPECT_EQ(line(recording({{1, 0}}), 7), Numbers{}); }

}  // namespace
}  // namespace icecore::snapshot

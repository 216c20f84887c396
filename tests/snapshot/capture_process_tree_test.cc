// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "snapshot/capture/process_tree.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAreArray;

std::vector<int> pids_in(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<int>(words), {}};
}

TEST(ProcessTree, OfALonelyProcessIsItself) {
  const test::Victim victim("capture_tree");
  EXPECT_THAT(process_tree(victim.pid()), ElementsAre(victim.pid()));
  EXPECT_THAT(process_tree_by_parents(victim.pid()), ElementsAre(victim.pid()));
}

TEST(ProcessTree, ListsAChainParentsFirst) {
  test::Victim victim("capture_tree");
  std::vector<int> chain = pids_in(victim.send("grow 8"));
  ASSERT_EQ(chain.size(), 8U);
  chain.insert(chain.begin(), victim.pid());
  EXPECT_EQ(process_tree(victim.pid()), chain);
  EXPECT_EQ(process_tree_by_parents(victim.pid()), chain);
}

TEST(ProcessTree, FindsChildrenOfEveryThreadAndZombies) {
  test::Victim victim("capture_tree");
  const std::vector<int> expected = {victim.pid(), std::stoi(victim.send("thread_child")),
                                     std::stoi(victim.send("zombie"))};
  EXPECT_THAT(process_tree(victim.pid()), UnorderedElementsAreArray(expected));
  EXPECT_THAT(process_tree_by_parents(victim.pid()), UnorderedElementsAreArray(expected));
}

TEST(ProcessTree, MissesNobodyWhoStaysWhileOthersComeAndGo) {
  test::Victim victim("capture_tree");
  std::vector<int> stay = pids_in(victim.send("grow 5"));
  victim.send("storm");
  for (int round = 0; round < 50; ++round) {
    EXPECT_THAT(process_tree(victim.pid()), IsSupersetOf(stay));
  }
  victim.send("calm");
}

TEST(ProcessTree, IsEmptyWithoutARoot) {
  EXPECT_THAT(process_tree(-1), IsEmpty());
  EXPECT_THAT(process_tree_by_parents(-1), IsEmpty());
}

}  // namespace
}  // namespace icecore::snapshot

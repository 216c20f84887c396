// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "tests/replay/remade_tree.h"

namespace icecore::replay {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class RemadeEvents : public ::testing::Test {
 protected:
  RemadeEvents() { tree_.make(); }
  /// What the kernel says of it, without what differs from object to object.
  static std::vector<std::string> lines(const model::OpenFile& file) {
    std::vector<std::string> kept;
    for (const std::string& line : file.fdinfo()) {
      if (!line.starts_with("eventfd-id") && !line.starts_with("it_value")) kept.push_back(line);
    }
    return kept;
  }

  test::RemadeTree tree_{"restore_events"};
};

TEST_F(RemadeEvents, AreAsTheyWere) {
  for (const char* name :
       {"full_read", "full_write", "full_again", "widow", "widower", "packet_read", "packet_write",
        "counter", "semaphore", "timer", "expired", "wall", "signals", "watches"}) {
    SCOPED_TRACE(name);
    const auto& before = tree_.before(name);
    const auto& after = tree_.after(name);
    EXPECT_EQ(after.kind(), before.kind());
    EXPECT_EQ(after.flags(), before.flags());
    EXPECT_EQ(after.pipe_capacity(), before.pipe_capacity());
    EXPECT_EQ(after.unread(), before.unread());
    EXPECT_THAT(after.pipe_packets(), ElementsAreArray(before.pipe_packets()));
    EXPECT_EQ(after.peers_size(), before.peers_size());
    EXPECT_THAT(lines(after), ElementsAreArray(lines(before)));
    EXPECT_EQ(tree_.refusal(name), "");
  }
}

TEST_F(RemadeEvents, KeepsTargetsOfAnEpollWhoseNumbersLeadElsewhere) {
  for (const char* name : {"epoll", "outer"}) {
    const auto& before = tree_.before(name).epoll_targets();
    const auto& after = tree_.after(name).epoll_targets();
    for (const auto& target : before) {
      SCOPED_TRACE(name + std::string(" target ") + std::to_string(target.fd()));
      EXPECT_NE(target.description(), 0U);
      if (target.fd() == tree_.told("signals")) continue;  // its process adds it
      const auto found = std::find_if(after.begin(), after.end(), [&](const auto& each) {
        return each.data() == target.data();
      });
      ASSERT_NE(found, after.end());
      EXPECT_EQ(found->fd(), target.fd());
      EXPECT_EQ(found->events(), target.events());
    }
  }
}

TEST_F(RemadeEvents, KnowsTheDeadAndTheLiving) {
  pollfd dead = {tree_.fd("dead"), POLLIN, 0};
  EXPECT_EQ(::poll(&dead, 1, 0), 1);
  pollfd self = {tree_.fd("self"), POLLIN, 0};
  EXPECT_EQ(::poll(&self, 1, 0), 0);
}

}  // namespace
}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/replay/remade_tree.h"

namespace icecore::replay {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr const char* kSockets[] = {
    "stream_a", "stream_b", "dgram_a",     "dgram_b",    "seq_a",         "seq_b",
    "half_a",   "half_b",   "widow",       "server",     "client",        "accepted",
    "waiting",  "hidden",   "guest",       "host",       "log",           "writer",
    "who_a",    "who_b",    "tcp_server",  "tcp_client", "tcp_accepted",  "half_client",
    "udp",      "fresh",    "tcp_waiting", "udp_client", "half_accepted", "carrier_b"};

class RemadeSockets : public ::testing::Test {
 protected:
  test::RemadeTree tree_{"restore_sockets"};
};

/// Level, name and value, without what the kernel chooses for a connection.
std::vector<std::string> options(const model::Socket& socket) {
  std::vector<std::string> all;
  for (const auto& option : socket.options()) {
    constexpr int kMulticastTtl = 33;
    if (socket.type() == SOCK_STREAM && option.level() == 0 && option.name() == kMulticastTtl) {
      continue;
    }
    constexpr int kTcp = 6;
    constexpr int kMaxSegment = 2;
    constexpr int kWindowClamp = 10;
    constexpr int kQuickAck = 12;
    const bool moment =
        option.level() == kTcp && (option.name() == kMaxSegment || option.name() == kWindowClamp ||
                                   option.name() == kQuickAck);
    if (moment) continue;
    std::string text = std::to_string(option.level()) + "/" + std::to_string(option.name()) + "=";
    for (const char byte : option.value()) text += std::to_string(byte) + ".";
    all.push_back(text);
  }
  return all;
}

TEST_F(RemadeSockets, AreAsTheyWere) {
  tree_.make();
  for (const char* name : kSockets) {
    SCOPED_TRACE(name);
    const auto& before = tree_.before(name);
    const auto& after = tree_.after(name);
    EXPECT_EQ(after.flags(), before.flags());
    const auto& was = before.socket();
    const auto& is = after.socket();
    EXPECT_EQ(is.domain(), was.domain());
    EXPECT_EQ(is.type(), was.type());
    EXPECT_EQ(is.protocol(), was.protocol());
    EXPECT_EQ(is.local_text(), was.local_text());
    EXPECT_EQ(is.remote_text(), was.remote_text());
    // The other end's acknowledgement, which makes one of the other, is on its way.
    const auto closing = [](const std::string& state) {
      return state == "FIN_WAIT1" ? std::string("FIN_WAIT2") : state;
    };
    EXPECT_EQ(closing(is.state()), closing(was.state()));
    EXPECT_EQ(is.shut_down(), was.shut_down());
    EXPECT_EQ(is.backlog(), was.backlog());
    EXPECT_EQ(is.receive_queue(), was.receive_queue());
    EXPECT_THAT(options(is), ElementsAreArray(options(was)));
    ASSERT_EQ(is.messages_size(), was.messages_size());
    for (int i = 0; i < is.messages_size(); ++i) {
      EXPECT_EQ(is.messages(i).data(), was.messages(i).data());
      EXPECT_EQ(is.messages(i).sender(), was.messages(i).sender());
      EXPECT_EQ(is.messages(i).uid(), was.messages(i).uid());
      EXPECT_EQ(is.messages(i).descriptions_size(), was.messages(i).descriptions_size());
    }
  }
}

TEST_F(RemadeSockets, BringsDescriptorsInFlightBack) {
  tree_.make();
  char text[16];
  iovec part{text, sizeof text};
  alignas(cmsghdr) char control[64];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ASSERT_EQ(::recvmsg(tree_.fd("carrier_b"), &header, 0), 7);
  int fd = -1;
  ASSERT_NE(CMSG_FIRSTHDR(&header), nullptr);
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fd);
  ASSERT_EQ(::read(fd, text, sizeof text), 9);
  EXPECT_EQ(std::string(text, 9), "in flight");
  ::close(fd);
}

TEST_F(RemadeSockets, NamesWhoHasAnAddressThatIsTaken) {
  const std::string victim = "process " + std::to_string(tree_.victim_pid()) + " (restore_sockets)";
  for (const char* name : {"server", "hidden", "log", "tcp_server", "udp"}) {
    EXPECT_THAT(tree_.refusal(name), HasSubstr(victim)) << name;
  }
  for (const char* name : {"stream_a", "carrier_b", "widow", "accepted", "fresh"}) {
    EXPECT_EQ(tree_.refusal(name), "") << name;
  }
}

}  // namespace
}  // namespace icecore::replay

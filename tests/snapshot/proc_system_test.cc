// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>

#include <cstring>

#include "base/byte_writer.h"
#include "base/error.h"
#include "snapshot/proc/cgroup.h"
#include "snapshot/proc/cpuinfo.h"
#include "snapshot/proc/fdinfo.h"
#include "snapshot/proc/mountinfo.h"
#include "snapshot/proc/net_sockets.h"
#include "snapshot/proc/unix_diag.h"

namespace icecore::snapshot::proc {
namespace {

using ::testing::ElementsAre;

TEST(Cgroup, FindsThePathInBothHierarchies) {
  constexpr const char* kText = "4:memory,cpu:/a:b\n3:freezer:/c\n0::/user.slice/x\n";
  EXPECT_EQ(unified_cgroup(kText), "/user.slice/x");
  EXPECT_EQ(v1_cgroup(kText, "cpu"), "/a:b");
  EXPECT_EQ(v1_cgroup(kText, "freezer"), "/c");
  EXPECT_EQ(v1_cgroup(kText, "pids"), std::nullopt);
  EXPECT_EQ(unified_cgroup("3:freezer:/c\n"), std::nullopt);
}

TEST(MountInfo, ReadsOptionalFieldsAndEscapes) {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=x\n"
      "garbage\n"
      "22 1 0:20 / /proc rw - proc none rw\n");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].id, 36U);
  EXPECT_EQ(mounts[0].root, "/mnt1");
  EXPECT_EQ(mounts[0].mount_point, "/mnt 2");
  EXPECT_EQ(mounts[0].type, "ext3");
  EXPECT_EQ(mounts[0].super_options, "rw,errors=x");
  EXPECT_EQ(mounts[1].type, "proc");
}

TEST(MountInfo, PrefersAMountOfTheWholeCgroup2Hierarchy) {
  const auto both = parse_mountinfo(
      "1 0 0:5 /part /a rw - cgroup2 c rw\n2 0 0:5 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n");
  EXPECT_EQ(find_cgroup2(both)->mount_point, "/sys/fs/cgroup/unified");
  const auto part = parse_mountinfo("1 0 0:5 /part /a rw - cgroup2 c rw\n");
  EXPECT_EQ(find_cgroup2(part)->mount_point, "/a");
  EXPECT_EQ(find_cgroup2(parse_mountinfo("1 0 0:5 / /a rw - cgroup c rw\n")), nullptr);
}

TEST(CpuInfo, TakesTheFirstProcessor) {
  const CpuInfo cpu = parse_cpuinfo(
      "processor\t: 0\nmodel name\t: AMD: EPYC\nflags\t\t: fpu avx512f\n\n"
      "processor\t: 1\nmodel name\t: other\nflags\t\t: x\n");
  EXPECT_EQ(cpu.model, "AMD: EPYC");
  EXPECT_THAT(cpu.flags, ElementsAre("fpu", "avx512f"));
}

TEST(FdInfo, SeparatesCommonLinesFromThoseOfTheKind) {
  const FdInfo info = parse_fdinfo(
      "pos:\t4\nflags:\t02100002\nmnt_id:\t17\nino:\t1038\neventfd-count:                7\n"
      "eventfd-id: 3\nlock:\t1: FLOCK  ADVISORY  WRITE 5 00:0f:2 0 EOF\n");
  EXPECT_EQ(info.position, 4);
  EXPECT_EQ(info.flags, 02100002U);
  EXPECT_EQ(info.mount_id, 17U);
  EXPECT_EQ(info.inode, 1038U);
  EXPECT_EQ(info.extra.size(), 3U);
  EXPECT_EQ(fdinfo_value(info, "eventfd-id"), "3");
  EXPECT_EQ(fdinfo_value(info, "eventfd"), "");
}

TEST(FdInfo, ReadsEpollTargets) {
  const auto targets = parse_epoll_targets(
      {"tfd:        5 events: 80000019 data: ffffffffffffffff  pos:0 ino:61af sdev:7", "other: 1"});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].fd, 5);
  EXPECT_EQ(targets[0].events, 0x80000019U);
  EXPECT_EQ(targets[0].data, ~0ULL);
  EXPECT_EQ(targets[0].inode, 0x61afU);
}

// One socket with inode 77 and peer 78, as the kernel lays it out.
std::vector<std::byte> unix_message() {
  ByteWriter message;
  const auto append = [&](const auto& value) {
    message.append(std::as_bytes(std::span(&value, 1)));
  };
  unix_diag_msg body{};
  body.udiag_family = 1;
  body.udiag_type = 1;
  body.udiag_state = 1;
  body.udiag_ino = 77;
  nlmsghdr header{};
  header.nlmsg_len = sizeof header + sizeof body + 2 * (sizeof(rtattr) + 4);
  header.nlmsg_type = 20;
  header.nlmsg_flags = NLM_F_MULTI;
  append(header);
  append(body);
  append(rtattr{sizeof(rtattr) + 4, UNIX_DIAG_PEER});
  message.write(std::uint32_t{78});
  append(rtattr{sizeof(rtattr) + 3, UNIX_DIAG_NAME});
  message.append(std::as_bytes(std::span("\0ab", 4)));  // padded
  return message.release();
}

TEST(NetSockets, ReadsPortsStateAndInodeOfBothFamilies) {
  constexpr const char* kText =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1A0B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4242 1 0000000000000000 100 0 0 10 0\n"
      "nonsense\n"
      "   1: 00000000000000000000000001000000:C350 00000000000000000000000001000000:0050 01 "
      "00000000:00000000 02:000A7214 00000000     0        0 77 2 0000000000000000\n";
  const auto sockets = parse_net_sockets(kText);
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].local, "0100007F:1A0B");
  EXPECT_EQ(sockets[0].local_port, 0x1a0b);
  EXPECT_EQ(sockets[0].remote_port, 0);
  EXPECT_EQ(sockets[0].state, 10U);
  EXPECT_EQ(sockets[0].inode, 4242U);
  EXPECT_EQ(sockets[1].local_port, 50000);
  EXPECT_EQ(sockets[1].remote_port, 80);
  EXPECT_EQ(sockets[1].state, 1U);
  EXPECT_EQ(sockets[1].inode, 77U);
}

TEST(UnixDiag, ReadsPeerAndName) {
  std::vector<UnixSocket> sockets;
  EXPECT_TRUE(parse_unix_diag(unix_message(), sockets));
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(sockets[0].inode, 77U);
  EXPECT_EQ(sockets[0].peer, 78U);
  EXPECT_EQ(sockets[0].name, std::string("\0ab", 3));
}

TEST(UnixDiag, IgnoresWhatIsCutOff) {
  const auto whole = unix_message();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<UnixSocket> sockets;
    EXPECT_FALSE(parse_unix_diag(std::span(whole).first(size), sockets));
    EXPECT_TRUE(sockets.empty());
  }
}

TEST(UnixDiag, ReportsTheKernelsError) {
  nlmsghdr header{};
  nlmsgerr error{};
  header.nlmsg_len = sizeof header + sizeof error;
  header.nlmsg_type = NLMSG_ERROR;
  error.error = -2;
  ByteWriter message;
  message.append(std::as_bytes(std::span(&header, 1)));
  message.append(std::as_bytes(std::span(&error, 1)));
  std::vector<UnixSocket> sockets;
  EXPECT_THROW(parse_unix_diag(message.bytes(), sockets), Error);
}

}  // namespace
}  // namespace icecore::snapshot::proc

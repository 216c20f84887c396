// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <sstream>
#include <string>

#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/limitations.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/process_tree.h"
#include "snapshot/proc/fdinfo.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

using model::OpenFile;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The victim opens everything once; each test looks at another part.
class CaptureDescriptors : public ::testing::Test {
 protected:
  CaptureDescriptors() {
    std::istringstream words(victim_.greeting());
    for (std::string word; words >> word;) {
      const auto equals = word.find('=');
      told_[word.substr(0, equals)] = std::stoi(word.substr(equals + 1));
    }
    const OwnNamespaces own;
    for (const int pid : process_tree(victim_.pid())) {
      const auto directory = ProcDirectory::open(pid);
      if (directory) capture_process_state(*directory, own, *snapshot_.add_processes());
    }
    DescriptorCapture(snapshot_).capture();
  }

  const model::FileDescriptor& descriptor(const std::string& name, int process = 0) const {
    const auto& list = snapshot_.processes(process).descriptors();
    const auto found = std::ranges::find(list, told_.at(name), &model::FileDescriptor::fd);
    if (found == list.end()) throw std::runtime_error("no descriptor for " + name);
    return *found;
  }
  const OpenFile& file(const std::string& name) const {
    return snapshot_.open_files(static_cast<int>(descriptor(name).description()) - 1);
  }
  std::string limitation(const std::string& name) const {
    const std::string object = "fd " + std::to_string(told_.at(name)) + " ";
    for (const auto& entry : snapshot_.limitations()) {
      if (entry.object().starts_with(object)) return entry.object() + ": " + entry.reason();
    }
    return "";
  }

  test::Victim victim_{"capture_descriptors"};
  std::map<std::string, int> told_;
  model::Snapshot snapshot_;
};

TEST_F(CaptureDescriptors, HoldsUnreadBytesCapacityOwnerAndEndsOfAPipe) {
  const OpenFile& read_end = file("pipe_read");
  EXPECT_EQ(read_end.kind(), OpenFile::PIPE);
  EXPECT_EQ(read_end.unread(), "unread");
  EXPECT_EQ(read_end.unread_bytes(), 6U);
  EXPECT_EQ(read_end.pipe_capacity(), 1U << 18U);
  EXPECT_EQ(read_end.owner_pid(), victim_.pid());
  EXPECT_EQ(read_end.owner_signal(), SIGUSR2);
  EXPECT_THAT(read_end.peers(), ElementsAre(file("pipe_write").id()));
  EXPECT_THAT(file("pipe_write").peers(), ElementsAre(read_end.id()));
  EXPECT_FALSE(read_end.peer_outside());
  EXPECT_TRUE(descriptor("pipe_read").close_on_exec());
}

TEST_F(CaptureDescriptors, LeavesTheUnreadBytesInThePipe) {
  model::Snapshot again;
  *again.mutable_processes() = snapshot_.processes();
  for (auto& process : *again.mutable_processes()) process.clear_descriptors();
  DescriptorCapture(again).capture();
  const int id = static_cast<int>(descriptor("pipe_read").description());
  EXPECT_EQ(again.open_files(id - 1).unread(), "unread");
}

TEST_F(CaptureDescriptors, KnowsThatStandardInputComesFromOutsideTheTree) {
  told_["stdin"] = 0;
  EXPECT_TRUE(file("stdin").peer_outside());
}

TEST_F(CaptureDescriptors, FindsDescriptionsSharedWithinAndAcrossProcesses) {
  EXPECT_EQ(descriptor("pipe_read").description(), descriptor("pipe_dup").description());
  EXPECT_FALSE(descriptor("pipe_dup").close_on_exec());
  ASSERT_EQ(snapshot_.processes_size(), 2);
  for (const auto& [name, fd] : told_) {
    if (name == "child" || name == "port" || name == "pty_index" || fd < 0) continue;
    EXPECT_EQ(descriptor(name, 0).description(), descriptor(name, 1).description()) << name;
  }
  EXPECT_NE(snapshot_.processes(0).descriptor_table(), snapshot_.processes(1).descriptor_table());
  EXPECT_NE(snapshot_.processes(0).fs_struct(), snapshot_.processes(1).fs_struct());
  EXPECT_NE(descriptor("eventfd").description(), descriptor("timerfd").description());
}

TEST_F(CaptureDescriptors, LinksUnixSocketsAndTheirQueues) {
  EXPECT_EQ(file("unix_a").kind(), OpenFile::SOCKET);
  EXPECT_EQ(file("unix_a").socket().domain(), AF_UNIX);
  EXPECT_EQ(file("unix_a").socket().state(), "CONNECTED");
  EXPECT_EQ(file("unix_b").socket().receive_queue(), 5U);
  EXPECT_THAT(file("unix_a").peers(), ElementsAre(file("unix_b").id()));
  EXPECT_EQ(file("unix_a").socket().peer_inode(), file("unix_b").socket().inode());
  EXPECT_EQ(file("unix_listen").socket().state(), "LISTEN");
  EXPECT_EQ(file("unix_listen").socket().receive_queue(), 1U);
  EXPECT_EQ(file("unix_listen").socket().local_text(),
            "@icecore-test-" + std::to_string(victim_.pid()));
  EXPECT_THAT(file("unix_waiting").peers(), ElementsAre(file("unix_listen").id()));
  EXPECT_FALSE(file("unix_waiting").peer_outside());
}

TEST_F(CaptureDescriptors, LinksBothEndsOfATcpConnection) {
  const std::string address = "127.0.0.1:" + std::to_string(told_.at("port"));
  EXPECT_EQ(file("tcp_listen").socket().state(), "LISTEN");
  EXPECT_EQ(file("tcp_listen").socket().local_text(), address);
  EXPECT_EQ(file("tcp_client").socket().state(), "ESTABLISHED");
  EXPECT_EQ(file("tcp_client").socket().remote_text(), address);
  EXPECT_THAT(file("tcp_client").peers(), ElementsAre(file("tcp_accepted").id()));
  EXPECT_THAT(file("tcp_accepted").peers(), ElementsAre(file("tcp_client").id()));
  EXPECT_GT(file("tcp_client").socket().options_size(), 20);
}

TEST_F(CaptureDescriptors, HoldsSizeSettingsAndIndexOfAPseudoTerminal) {
  for (const char* end : {"pty_master", "pty_slave"}) {
    const OpenFile& terminal = file(end);
    EXPECT_EQ(terminal.kind(), OpenFile::TERMINAL) << end;
    EXPECT_EQ(terminal.pty_index(), told_.at("pty_index")) << end;
    ASSERT_EQ(terminal.winsize().size(), sizeof(winsize)) << end;
    winsize size{};
    std::memcpy(&size, terminal.winsize().data(), sizeof size);
    EXPECT_EQ(size.ws_row, 33) << end;
    EXPECT_EQ(size.ws_col, 77) << end;
    EXPECT_FALSE(terminal.termios().empty()) << end;
  }
}

TEST_F(CaptureDescriptors, KeepsTheKernelsLinesAboutAnonymousFiles) {
  EXPECT_EQ(file("eventfd").kind(), OpenFile::EVENTFD);
  EXPECT_THAT(file("eventfd").fdinfo(), Contains(StartsWith("eventfd-count:")));
  EXPECT_EQ(file("timerfd").kind(), OpenFile::TIMERFD);
  EXPECT_THAT(file("timerfd").fdinfo(), Contains(HasSubstr("it_value: (35")));
  EXPECT_EQ(file("signalfd").kind(), OpenFile::SIGNALFD);
  EXPECT_THAT(file("signalfd").fdinfo(), Contains("sigmask:\t0000000000000200"));
  EXPECT_EQ(file("inotify").kind(), OpenFile::INOTIFY);
  EXPECT_THAT(file("inotify").fdinfo(), Contains(StartsWith("inotify wd:1")));
  EXPECT_EQ(file("pidfd").kind(), OpenFile::PIDFD);
  EXPECT_THAT(file("pidfd").fdinfo(), Contains("Pid:\t" + std::to_string(victim_.pid())));
}

TEST_F(CaptureDescriptors, TellsWhatAnEpollWaitsFor) {
  const auto& lines = file("epoll").fdinfo();
  const auto targets = proc::parse_epoll_targets({lines.begin(), lines.end()});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].fd, told_.at("inotify"));
  EXPECT_EQ(targets[0].data, 0x1234U);
}

TEST_F(CaptureDescriptors, HoldsOffsetFlagsAndIdentityOfFiles) {
  EXPECT_EQ(file("deleted").kind(), OpenFile::REGULAR);
  EXPECT_TRUE(file("deleted").deleted());
  EXPECT_THAT(file("deleted").target(), StartsWith("/tmp/icecore-victim-"));
  EXPECT_EQ(file("deleted").target().find(" (deleted)"), std::string::npos);
  EXPECT_EQ(file("deleted").position(), 4);
  EXPECT_EQ(file("deleted").identity().size(), 10U);
  EXPECT_EQ(file("directory").kind(), OpenFile::DIRECTORY);
  EXPECT_EQ(file("directory").target(), "/");
  EXPECT_NE(file("path").flags() & O_PATH, 0U);
  EXPECT_NE(file("append").flags() & O_APPEND, 0U);
  EXPECT_EQ(file("append").flags() & O_CLOEXEC, 0U);
  EXPECT_TRUE(descriptor("append").close_on_exec());
  EXPECT_EQ(file("proc").kind(), OpenFile::PROC);
  EXPECT_EQ(file("namespace").kind(), OpenFile::NAMESPACE);
  EXPECT_EQ(file("memfd").kind(), OpenFile::MEMFD);
  EXPECT_THAT(file("memfd").fdinfo(), Contains("seals:\t0x4"));
}

TEST_F(CaptureDescriptors, SaysWhichOfThemNoRestoreBringsBack) {
  list_limitations(snapshot_);
  if (told_.at("io_uring") >= 0) {  // some systems forbid it
    EXPECT_THAT(limitation("io_uring"), HasSubstr("(io_uring)"));
  }
  for (const char* fine : {"pipe_read", "unix_a", "unix_b", "unix_listen", "tcp_client", "eventfd",
                           "epoll", "append", "deleted"}) {
    EXPECT_EQ(limitation(fine), "") << fine;
  }
}

TEST_F(CaptureDescriptors, SaysThatAPipeLeavesTheTree) {
  list_limitations(snapshot_);
  told_["stdin"] = 0;
  EXPECT_THAT(limitation("stdin"), HasSubstr("outside the tree"));
}

TEST_F(CaptureDescriptors, LeavesTheRootsStandardStreamsToWhoeverRestoresIt) {
  snapshot_.set_root_pid(victim_.pid());
  list_limitations(snapshot_);
  told_["stdin"] = 0;
  EXPECT_EQ(limitation("stdin"), "");
}

}  // namespace
}  // namespace icecore::snapshot

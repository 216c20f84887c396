// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "snapshot/capture/attachable.h"
#include "snapshot/capture/process_state.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ResultOf;

auto says(const std::string& part) {
  return ResultOf([](const Error& error) { return std::string(error.what()); }, HasSubstr(part));
}

TEST(Attachable, AcceptsAnOrdinaryProcess) {
  const test::Victim victim("idle");
  EXPECT_THAT(attach_obstacles(victim.pid()), IsEmpty());
  EXPECT_NO_THROW(require_attachable(victim.pid()));
}

TEST(Attachable, EveryRefusalHasAWhyAndAHint) {
  for (const int pid : {2, ::getpid(), ::getppid(), 1'999'999'999, -5}) {
    for (const Error& error : attach_obstacles(pid)) {
      EXPECT_NE(error.why(), "") << error.what();
      EXPECT_NE(error.hint(), "") << error.what();
    }
    EXPECT_THAT(attach_obstacles(pid), Not(IsEmpty())) << pid;
  }
}

TEST(Attachable, SaysThatThereIsNoSuchProcess) {
  EXPECT_THAT(attach_obstacles(1'999'999'999), ElementsAre(says("no such process")));
  EXPECT_THAT(attach_obstacles(0), ElementsAre(says("no such process")));
}

TEST(Attachable, RefusesKernelThreads) {
  if (::access("/proc/2/stat", R_OK) != 0) GTEST_SKIP() << "needs the host's PID namespace";
  EXPECT_THAT(attach_obstacles(2), ElementsAre(says("is a kernel thread")));
}

TEST(Attachable, RefusesIcecoreItselfAndItsAncestors) {
  EXPECT_THAT(attach_obstacles(::getpid()), Contains(says("is icecore itself")));
  EXPECT_THAT(attach_obstacles(::getppid()), Contains(says("is an ancestor of icecore")));
}

TEST(Attachable, RefusesZombiesAndSaysWhoseTheyAre) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  const auto obstacles = attach_obstacles(child);
  ASSERT_THAT(obstacles, ElementsAre(says("has ended already")));
  EXPECT_THAT(obstacles[0].why(), HasSubstr(std::to_string(::getpid())));
  ::waitpid(child, nullptr, 0);
}

TEST(Attachable, NamesTheProcessOfAThread) {
  test::Victim victim("capture_state");
  const std::string greeting = victim.greeting();
  const int tid = std::stoi(greeting.substr(greeting.find("reader=") + 7));
  const auto obstacles = attach_obstacles(tid);
  ASSERT_THAT(obstacles, ElementsAre(says("is a thread of process")));
  EXPECT_THAT(obstacles[0].hint(), HasSubstr(std::to_string(victim.pid())));
}

TEST(Attachable, NamesTheTracerOfATracedProcess) {
  test::Victim victim("idle");
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t tracer = ::fork();
  if (tracer == 0) {
    const char done = ::ptrace(PTRACE_SEIZE, victim.pid(), 0, 0) == 0 ? 'y' : 'n';
    if (::write(told[1], &done, 1) == 1) ::pause();
    ::_exit(0);
  }
  char done = 0;
  ASSERT_EQ(::read(told[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  EXPECT_THAT(attach_obstacles(victim.pid()),
              ElementsAre(says("is already traced by process " + std::to_string(tracer))));
  ::kill(tracer, SIGKILL);
  ::waitpid(tracer, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
}

TEST(Attachable, RefusesAProcessThatAskedNotToBeDumpedUnlessAllowed) {
  test::Victim victim("capture_state");
  if (read_dumpable(victim.pid()) == -1) GTEST_SKIP() << "needs PIDFD_INFO_COREDUMP (Linux 6.16)";
  victim.send("undumpable");
  EXPECT_THAT(attach_obstacles(victim.pid()), ElementsAre(says("asked not to be dumped")));
  EXPECT_EQ(attach_obstacles(victim.pid())[0].exit_status(), ExitStatus::Refused);
  EXPECT_THAT(attach_obstacles(victim.pid(), Undumpable::Allow), IsEmpty());
}

TEST(Attachable, RefusesAnotherUsersProcessWithoutPrivilege) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody without privilege";
  test::Victim victim("idle");
  EXPECT_EXIT(
      {
        if (::setuid(65534) != 0) ::_exit(2);
        const auto obstacles = attach_obstacles(victim.pid());
        ::_exit(obstacles.size() == 1 && std::string(obstacles[0].what()).find("belongs to root") !=
                                             std::string::npos
                    ? 0
                    : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

// The smallest 32-bit program: it calls pause() for ever.
std::string program_of_32_bits() {
  constexpr std::array<unsigned char, 11> kCode = {0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7, 0, 0};
  std::string file(
      "\x7f"
      "ELF\1\1\1\0\0\0\0\0\0\0\0\0",
      16);
  const auto append = [&](std::uint32_t value, std::size_t size) {
    file.append(reinterpret_cast<const char*>(&value), size);
  };
  constexpr std::uint32_t kBase = 0x08048000;
  constexpr std::uint32_t kHeaders = 52 + 32;
  append(2, 2);  // executable
  append(3, 2);  // i386
  append(1, 4);
  append(kBase + kHeaders, 4);
  append(52, 4);
  append(0, 4);
  append(0, 4);
  append(52, 2);
  append(32, 2);
  append(1, 2);
  append(0, 2);
  append(0, 2);
  append(0, 2);
  for (const std::uint32_t word :
       {1U, 0U, kBase, kBase, kHeaders + 11U, kHeaders + 11U, 5U, 4096U}) {
    append(word, 4);
  }
  file.append(reinterpret_cast<const char*>(kCode.data()), kCode.size());
  return file;
}

TEST(Attachable, RefusesPrograms32BitsWide) {
  const test::TempDirectory directory;
  const std::string path = directory.path() / "small";
  std::ofstream(path, std::ios::binary) << program_of_32_bits();
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  int failed[2];
  ASSERT_EQ(::pipe2(failed, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(path.c_str(), path.c_str(), nullptr);
    if (::write(failed[1], "x", 1) == 1) ::_exit(1);
  }
  ::close(failed[1]);
  char byte = 0;
  const bool runs = ::read(failed[0], &byte, 1) == 0;
  ::close(failed[0]);
  const auto obstacles = runs ? attach_obstacles(child) : std::vector<Error>();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!runs) GTEST_SKIP() << "needs a kernel that runs 32-bit programs";
  EXPECT_THAT(obstacles, ElementsAre(says("is a 32-bit program")));
}

}  // namespace
}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/thread_state.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class CaptureState : public ::testing::Test {
 protected:
  CaptureState() {
    std::istringstream words(victim_.greeting());
    for (std::string word; words >> word;) {
      const auto equals = word.find('=');
      told_[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
    }
  }

  int told(const std::string& name) const { return static_cast<int>(told_.at(name)); }

  model::Process capture() const {
    model::Process process;
    capture_process_state(*ProcDirectory::open(victim_.pid()), own_, process);
    return process;
  }

  // The state letter of the leader, once it is `letter`: ends are seen a little after they happen.
  void wait_for_leader(char letter) const {
    const test::Deadline deadline;
    while (ProcDirectory::open(victim_.pid())->stat().state != letter && !deadline.passed()) {
      ::sched_yield();
    }
  }

  // Until the thread has gone to sleep in its call.
  model::Thread reader(const model::Process& process, Activity activity) const {
    model::Thread thread;
    capture_thread_state(*ProcDirectory::open(victim_.pid()), told("reader"), activity, process,
                         thread);
    return thread;
  }

  /// Once it sleeps; looked at anew then, as the files are read one after another.
  model::Thread sleeping_reader(const model::Process& process) const {
    const test::Deadline deadline;
    while (!reader(process, Activity::Running).system_call().inside() && !deadline.passed()) {
      ::sched_yield();
    }
    return reader(process, Activity::Running);
  }

  test::Victim victim_{"capture_state", {"an argument"}};
  OwnNamespaces own_;
  std::map<std::string, std::uint64_t> told_;
};

TEST_F(CaptureState, AgreesWithWhatTheProcessKnowsOfItself) {
  const model::Process process = capture();
  EXPECT_EQ(process.pid(), victim_.pid());
  EXPECT_EQ(process.parent_pid(), told("ppid"));
  EXPECT_EQ(process.process_group(), told("pgid"));
  EXPECT_EQ(process.session(), told("sid"));
  EXPECT_EQ(process.state(), model::Process::ALIVE);
  EXPECT_EQ(process.comm(), "odd (name) 1");
  EXPECT_EQ(process.umask(), 027U);
  EXPECT_EQ(process.working_directory(), "/usr");
  EXPECT_EQ(process.root_directory(), "/");
  EXPECT_THAT(process.executable(), EndsWith("/capture_state"));
  EXPECT_FALSE(process.executable_deleted());
  EXPECT_THAT(process.command_line(), EndsWith(std::string("/capture_state\0an argument\0", 27)));
  EXPECT_EQ(process.pending_mask(), std::uint64_t{1} << (SIGUSR1 - 1));
  EXPECT_EQ(process.credentials().uid(), ::getuid());
  EXPECT_EQ(process.credentials().egid(), ::getegid());
  EXPECT_NE(process.start_time(), 0U);
  EXPECT_EQ(process.auxv().size() % 16, 0U);
  EXPECT_NE(process.layout().start_stack(), 0U);
  EXPECT_NE(process.layout().start_brk(), 0U);
  EXPECT_EQ(process.tracer_pid(), 0);
}

TEST_F(CaptureState, HoldsLimitsTimersAndNamespaces) {
  const model::Process process = capture();
  const auto limit = std::ranges::find(process.limits(), "Max open files", &model::Limit::name);
  ASSERT_NE(limit, process.limits().end());
  EXPECT_EQ(limit->soft(), 111U);
  EXPECT_EQ(limit->hard(), 222U);
  ASSERT_EQ(process.posix_timers_size(), 1);
  EXPECT_EQ(process.posix_timers(0).signal(), SIGALRM);
  EXPECT_EQ(process.posix_timers(0).clock(), 1);
  EXPECT_EQ(process.posix_timers(0).value_pointer() & 0xffffffffU, 77U);
  EXPECT_GE(process.namespaces_size(), 7);
  for (const auto& space : process.namespaces()) EXPECT_TRUE(space.shared_with_icecore());
}

TEST_F(CaptureState, SeesThatAProcessAskedNotToBeDumped) {
  if (capture().dumpable() == -1) GTEST_SKIP() << "needs PIDFD_INFO_COREDUMP (Linux 6.16)";
  EXPECT_EQ(capture().dumpable(), 1);
  victim_.send("undumpable");
  EXPECT_EQ(capture().dumpable(), 0);
}

TEST_F(CaptureState, HoldsNameMaskNiceSlackAndSystemCallOfAThread) {
  const model::Process process = capture();
  const model::Thread thread = sleeping_reader(process);
  EXPECT_EQ(thread.tid(), told("reader"));
  EXPECT_EQ(thread.name(), "reader");
  EXPECT_EQ(thread.state(), "S");
  EXPECT_EQ(thread.signal_mask(),
            std::uint64_t{1} << (SIGUSR1 - 1) | std::uint64_t{1} << (SIGUSR2 - 1));
  EXPECT_EQ(thread.nice(), 5);
  EXPECT_EQ(thread.timer_slack_ns(), 12345U);
  EXPECT_EQ(thread.system_call().number(), 0);  // read
  EXPECT_EQ(thread.system_call().arguments(0), told_.at("read_fd"));
  EXPECT_EQ(thread.system_call().arguments(1), told_.at("buffer"));
  EXPECT_EQ(thread.system_call().arguments(2), 8U);
  EXPECT_THAT(thread.wait_channel(), HasSubstr("pipe_read"));
  EXPECT_FALSE(thread.has_credentials());
  EXPECT_EQ(thread.namespace_tids(thread.namespace_tids_size() - 1), told("reader"));
}

TEST_F(CaptureState, LeavesToTheTracerWhatProcWouldTellWrongOfAHeldThread) {
  const model::Thread held = reader(capture(), Activity::Held);
  EXPECT_EQ(held.wait_channel(), "");
  EXPECT_FALSE(held.has_system_call());
}

TEST_F(CaptureState, SaysThatAThreadIsGone) {
  model::Thread thread;
  const auto directory = ProcDirectory::open(victim_.pid());
  EXPECT_FALSE(capture_thread_state(*directory, 1, Activity::Running, capture(), thread));
}

TEST_F(CaptureState, LooksThroughALivingThreadWhenTheLeaderHasExited) {
  victim_.send("exit_leader");
  wait_for_leader('Z');
  const auto directory = ProcDirectory::open(victim_.pid());
  EXPECT_EQ(directory->shared_tid(), told("reader"));
  model::Snapshot snapshot;
  model::Process& process = *snapshot.add_processes();
  capture_process_state(*directory, own_, process);
  EXPECT_EQ(process.state(), model::Process::LEADER_EXITED);
  EXPECT_EQ(process.umask(), 027U);
  EXPECT_EQ(process.working_directory(), "/usr");
  EXPECT_NE(process.layout().start_stack(), 0U);
  capture_mappings(*directory, process);
  EXPECT_GT(process.mappings_size(), 5);
  DescriptorCapture(snapshot).capture();
  EXPECT_GE(process.descriptors_size(), 6);
}

TEST_F(CaptureState, SeesTheSameOfAProcessThatIsHeldByItsTracer) {
  const model::Process before = capture();
  const model::Thread running = sleeping_reader(before);
  for (const int tid : {victim_.pid(), told("reader")}) {
    ASSERT_EQ(::ptrace(PTRACE_SEIZE, tid, 0, 0), 0);
    ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
    ASSERT_EQ(::waitpid(tid, nullptr, __WALL), tid);
  }
  model::Snapshot snapshot;
  model::Process& held = *snapshot.add_processes();
  held = capture();
  EXPECT_EQ(held.ShortDebugString(), before.ShortDebugString());
  EXPECT_EQ(reader(held, Activity::Held).signal_mask(), running.signal_mask());
  capture_mappings(*ProcDirectory::open(victim_.pid()), held);
  EXPECT_GT(held.mappings_size(), 5);
  DescriptorCapture(snapshot).capture();
  ASSERT_GE(held.descriptors_size(), 6);
  for (const auto& file : snapshot.open_files()) {
    EXPECT_NE(file.kind(), model::OpenFile::UNKNOWN) << file.target();
    if (file.kind() == model::OpenFile::PIPE) {
      EXPECT_NE(file.pipe_capacity(), 0U);
    }
  }
}

TEST_F(CaptureState, HoldsTheExitStatusOfAZombie) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  model::Process process;
  capture_process_state(*ProcDirectory::open(child), own_, process);
  EXPECT_EQ(process.state(), model::Process::ZOMBIE);
  EXPECT_EQ(WEXITSTATUS(process.exit_code()), 7);
  EXPECT_EQ(process.mappings_size(), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(ProcDirectory, NeverTellsOfAStrangerWhenItsProcessIsGone) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto directory = ProcDirectory::open(child);
  ASSERT_TRUE(directory);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(directory->read("stat"), std::nullopt);
  EXPECT_TRUE(directory->thread_ids().empty());
  EXPECT_TRUE(directory->descriptors().empty());
  EXPECT_FALSE(ProcDirectory::open(child));
}

}  // namespace
}  // namespace icecore::snapshot

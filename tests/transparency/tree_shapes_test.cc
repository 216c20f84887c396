// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <sstream>
#include <string>

#include "snapshot/capture/process_tree.h"
#include "snapshot/capture/tree_capture.h"
#include "snapshot/tracing/task_list.h"
#include "tests/support/victim.h"

namespace icecore::test {
namespace {

using snapshot::TracedTree;

void block_sigchld() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

/// A tree below a blocked_tree victim, frozen and captured once.
struct Frozen {
  explicit Frozen(const Victim& victim, TracedTree::Between between = TracedTree::Between::Detached)
      : tree(victim.pid(), between), capture(tree, [this] { return store::SpaceId{++spaces}; }) {}

  std::unique_ptr<snapshot::CapturedSnapshot> freeze() {
    tree.note_sleepers();
    EXPECT_EQ(tree.freeze(std::chrono::seconds(10)), TracedTree::Outcome::Frozen);
    auto captured = capture.take({});
    return captured;
  }

  /// What we stay attached to (vfork parents at least) goes on only while we look after it.
  void look_after_until_it_answers(Victim& victim) {
    const Deadline deadline;
    while (!victim.has_answered() && !deadline.passed()) {
      while (tree.dispatch()) {
      }
      ::sched_yield();
    }
  }

  std::uint64_t spaces = 0;
  TracedTree tree;
  snapshot::TreeCapture capture;
};

std::set<int> pids_of(const snapshot::CapturedSnapshot& captured) {
  std::set<int> pids;
  for (const auto& process : captured.model.processes()) pids.insert(process.pid());
  return pids;
}

std::set<int> living_below(int root) {
  const auto pids = snapshot::process_tree(root);
  return {pids.begin(), pids.end()};
}

TEST(ATreeOfAnyShape, WithAThousandThreadsFreezesWhole) {
  block_sigchld();
  Victim victim("blocked_tree");
  victim.send("threads 1000");
  Frozen frozen(victim);
  const auto captured = frozen.freeze();
  ASSERT_EQ(captured->model.processes_size(), 1);
  EXPECT_EQ(captured->model.processes(0).threads_size(), 1001);
  for (const auto& thread : captured->model.processes(0).threads()) {
    EXPECT_FALSE(thread.registers().empty()) << thread.tid();
  }
  frozen.tree.thaw();
  EXPECT_EQ(victim.send("alive"), "alive");
}

TEST(ATreeOfAnyShape, WithFiveHundredProcessesFreezesWhole) {
  block_sigchld();
  Victim victim("blocked_tree");
  victim.send("processes 500");
  Frozen frozen(victim);
  const auto captured = frozen.freeze();
  EXPECT_EQ(captured->model.processes_size(), 501);
  EXPECT_EQ(pids_of(*captured), living_below(victim.pid()));
  frozen.tree.thaw();
  EXPECT_EQ(victim.send("alive"), "alive");
}

TEST(ATreeOfAnyShape, ThatForksAsFastAsItCanLosesNobody) {
  block_sigchld();
  Victim victim("blocked_tree");
  victim.send("bomb");
  Frozen frozen(victim);
  for (int i = 0; i < 200; ++i) {
    const auto captured = frozen.freeze();
    // Nobody can fork now, so that what /proc says is the truth.
    EXPECT_EQ(pids_of(*captured), living_below(victim.pid()));
    frozen.tree.thaw();
    while (frozen.tree.dispatch()) {
    }
  }
  EXPECT_EQ(victim.send("calm"), "calm");
}

void freeze_spawning(TracedTree::Between between) {
  block_sigchld();
  Victim victim("blocked_tree");
  victim.send("spawn");
  Frozen frozen(victim, between);
  if (between == TracedTree::Between::Attached) frozen.tree.attach();
  for (int i = 0; i < 200; ++i) {
    const auto captured = frozen.freeze();
    EXPECT_EQ(pids_of(*captured), living_below(victim.pid()));
    frozen.tree.thaw();
    while (const auto event = frozen.tree.dispatch()) {
      ADD_FAILURE() << "thread " << event->tid << " ended by " << event->status;
    }
  }
  victim.write_line("calm");
  frozen.look_after_until_it_answers(victim);
  EXPECT_EQ(victim.read_line(), "calm");
}

TEST(ATreeOfAnyShape, WhoseParentsWaitInVforkLosesNobody) {
  freeze_spawning(TracedTree::Between::Detached);
}

TEST(ATreeOfAnyShape, WhoseParentsWaitInVforkLosesNobodyWhileWeStay) {
  freeze_spawning(TracedTree::Between::Attached);
}

TEST(ATreeOfAnyShape, WithAnExitedLeaderAndAZombieFreezes) {
  block_sigchld();
  Victim victim("blocked_tree");
  const int leaderless = std::stoi(victim.send("leaderless"));
  const int zombie = std::stoi(victim.send("zombie"));
  const Deadline deadline;
  while (snapshot::task_stat(leaderless, leaderless)->state != 'Z' && !deadline.passed()) {
    ::sched_yield();
  }
  Frozen frozen(victim);
  const auto captured = frozen.freeze();
  EXPECT_TRUE(pids_of(*captured).contains(leaderless));
  EXPECT_TRUE(pids_of(*captured).contains(zombie));
  frozen.tree.thaw();
  while (frozen.tree.dispatch()) {
  }
  EXPECT_EQ(snapshot::task_stat(leaderless, leaderless)->state, 'Z');
  EXPECT_EQ(snapshot::task_stat(zombie, zombie)->state, 'Z');
  EXPECT_EQ(victim.send("alive"), "alive");
}

TEST(ATreeOfAnyShape, ThatHoldsADebuggerIsReadWithoutDisturbingIt) {
  block_sigchld();
  Victim victim("blocked_tree");
  int debugger = 0, debugged = 0;
  std::istringstream(victim.send("debugger")) >> debugger >> debugged;
  Frozen frozen(victim);
  const auto captured = frozen.freeze();
  EXPECT_TRUE(pids_of(*captured).contains(debugged));
  bool named = false;
  for (const auto& limitation : captured->model.limitations()) {
    named = named || (limitation.pid() == debugged &&
                      limitation.reason().find("process " + std::to_string(debugger) +
                                               " traces it") != std::string::npos);
  }
  EXPECT_TRUE(named) << captured->model.ShortDebugString().substr(0, 2000);
  frozen.tree.thaw();
  while (frozen.tree.dispatch()) {
  }
  // The inner debugger steps its program and tells that its registers are still right.
  EXPECT_EQ(victim.send("step"), "stepped");
}

}  // namespace
}  // namespace icecore::test

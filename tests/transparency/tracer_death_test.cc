// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "snapshot/capture/tree_capture.h"
#include "snapshot/tracing/task_list.h"
#include "tests/support/victim.h"

namespace icecore::test {
namespace {

using snapshot::TracedTree;
using Clock = std::chrono::steady_clock;

/// Snapshots of `pid` without end, the first of each recording with new watches.
[[noreturn]] void take_snapshots(int pid) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  for (;;) {
    TracedTree tree(pid, TracedTree::Between::Detached);
    std::uint64_t spaces = 0;
    snapshot::TreeCapture capture(tree, [&] { return store::SpaceId{++spaces}; });
    for (int i = 0; i < 3; ++i) {
      tree.note_sleepers();
      if (tree.freeze(std::chrono::seconds(5)) == TracedTree::Outcome::Frozen) capture.take({});
      tree.thaw();
      while (tree.dispatch()) {
      }
    }
  }
}

std::vector<long> counters_of(Victim& victim) {
  std::istringstream words(victim.send("count"));
  std::vector<long> counters;
  for (long count = 0; words >> count;) counters.push_back(count);
  return counters;
}

/// Whether every thread works on within a second; the answer of a frozen program would not come.
std::string works_on(Victim& victim) {
  const auto limit = Clock::now() + std::chrono::seconds(1);
  const auto before = counters_of(victim);
  for (;;) {
    const auto now = counters_of(victim);
    bool all = now.size() == before.size() && !now.empty();
    for (std::size_t i = 0; all && i < now.size(); ++i) all = now[i] > before[i];
    if (all) return {};
    if (Clock::now() > limit) return "a thread does not run";
  }
}

std::string state_left(int pid) {
  for (const int tid : snapshot::task_ids(pid)) {
    const auto stat = snapshot::task_stat(pid, tid);
    const auto signals = snapshot::task_signals(pid, tid);
    if (stat && (stat->state == 'T' || stat->state == 't')) return "a thread is stopped";
    if (signals && signals->tracer != 0) return "a thread is traced";
  }
  return {};
}

/// One tracer, killed `microseconds` after its start; what it left, or nothing.
std::string kill_tracer_after(long microseconds, Victim& victim) {
  const pid_t tracer = ::fork();
  if (tracer == 0) take_snapshots(victim.pid());
  const timespec delay{0, microseconds * 1000};
  ::nanosleep(&delay, nullptr);
  ::kill(tracer, SIGKILL);
  ::waitpid(tracer, nullptr, 0);
  try {
    const std::string trouble = works_on(victim);
    return trouble.empty() ? state_left(victim.pid()) : trouble;
  } catch (const std::exception& error) {
    return std::string("the program died: ") + error.what();
  }
}

void kill_tracers(int times, unsigned seed) {
  std::mt19937 random(seed);
  auto victim = std::make_unique<Victim>("blocked_busy");
  int harmed = 0;
  std::string first;
  for (int i = 0; i < times; ++i) {
    // From before the first seize to the middle of the third snapshot.
    const long microseconds = std::uniform_int_distribution<long>(0, 40'000)(random);
    const std::string trouble = kill_tracer_after(microseconds, *victim);
    if (trouble.empty()) continue;
    ++harmed;
    if (first.empty()) first = trouble;
    victim = std::make_unique<Victim>("blocked_busy");
  }
  std::printf("%d of %d killed tracers harmed the program\n", harmed, times);
  EXPECT_EQ(harmed, 0) << first;
}

// In two halves, each well below the time that a test may take.
TEST(AKilledTracer, LeavesTheProgramRunningUnharmed) { kill_tracers(250, 1); }
TEST(AKilledTracer, LeavesTheProgramRunningUnharmedAgain) { kill_tracers(250, 2); }

}  // namespace
}  // namespace icecore::test

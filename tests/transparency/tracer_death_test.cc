// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
#include "tests/transparency/blocked_run.h"

namespace icecore::test {
namespace {

using snapshot::TracedTree;
using Clock = std::chrono::steady_clock;

/// Snapshots of `pid` without end, the first of each recording with new watches.
[[noreturn]] void take_snapshots(int pid, TracedTree::Between between) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  for (;;) {
    TracedTree tree(pid, between);
    if (between == TracedTree::Between::Attached) tree.attach();
    std::uint64_t spaces = 0;
    snapshot::TreeCapture capture(tree, [&] { return store::SpaceId{++spaces}; });
    for (int i = 0; i < 4; ++i) {
      capture.prepare();
      tree.note_sleepers();
      std::unique_ptr<snapshot::CapturedSnapshot> captured;
      if (tree.freeze(std::chrono::seconds(5)) == TracedTree::Outcome::Frozen) {
        captured = capture.take({});
      }
      tree.thaw();
      while (tree.dispatch()) {
      }
      if (captured) capture.complete(*captured);
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

/// One tracer of the tree below `pid`, ended `microseconds` after its start: every other time by
/// kill -9, as the kernel does it too when memory is short, or by a crash.
void kill_tracer_after(long microseconds, int pid, TracedTree::Between between) {
  static int times = 0;
  const int signal = times++ % 2 == 0 ? SIGKILL : SIGSEGV;
  const pid_t tracer = ::fork();
  if (tracer == 0) take_snapshots(pid, between);
  const timespec delay{0, microseconds * 1000};
  ::nanosleep(&delay, nullptr);
  ::kill(tracer, signal);
  ::waitpid(tracer, nullptr, 0);
}

/// What it left, or nothing.
std::string harm_of_a_killed_tracer(long microseconds, Victim& victim,
                                    TracedTree::Between between) {
  kill_tracer_after(microseconds, victim.pid(), between);
  try {
    const std::string trouble = works_on(victim);
    return trouble.empty() ? state_left(victim.pid()) : trouble + " " + state_left(victim.pid());
  } catch (const std::exception& error) {
    return std::string("the program died: ") + error.what();
  }
}

void kill_tracers(int times, unsigned seed, TracedTree::Between between) {
  std::mt19937 random(seed);
  auto victim = std::make_unique<Victim>("blocked_busy");
  int harmed = 0;
  std::string first;
  for (int i = 0; i < times; ++i) {
    // From before the first seize to the middle of the third snapshot.
    const long microseconds = std::uniform_int_distribution<long>(0, 40'000)(random);
    const std::string trouble = harm_of_a_killed_tracer(microseconds, *victim, between);
    if (trouble.empty()) continue;
    ++harmed;
    if (first.empty()) first = trouble;
    victim = std::make_unique<Victim>("blocked_busy");
  }
  std::printf("%d of %d killed tracers harmed the program\n", harmed, times);
  EXPECT_EQ(harmed, 0) << first;
}

// In two halves, each well below the time that a test may take.
TEST(AKilledTracer, LeavesTheProgramRunningUnharmed) {
  kill_tracers(250, 1, TracedTree::Between::Detached);
}
TEST(AKilledTracer, ThatStayedLeavesTheProgramRunningUnharmed) {
  kill_tracers(250, 2, TracedTree::Between::Attached);
}

struct Blocked {
  BlockedCase call;
  /// What else it may end with (docs/transparency.md): cut short when the tracer died before it had
  /// mended the call, or with the arguments and the result of what it went on with.
  std::vector<std::string> changed;
};

/// What is woken before it sleeps again has missed nothing, but says so otherwise: a futex, for
/// one, whose word has changed meanwhile (EAGAIN).
bool sleeps(int pid) {
  const auto stat = snapshot::task_stat(pid, pid);
  return stat && (stat->state == 'S' || stat->state == 'D' || stat->state == 'Z');
}

bool victim_lives(const Victim& victim) {
  const auto stat = snapshot::task_stat(victim.pid(), victim.pid());
  return stat && stat->state != 'Z';
}

/// What the program saw of `blocked` after several tracers were killed meanwhile, and what was left
/// of them.
std::string outlive_tracers(const Blocked& blocked, int times, std::mt19937& random) {
  Victim victim(blocked.call.program, {blocked.call.name});
  const int child = std::stoi(victim.greeting());
  for (int i = 0; i < times; ++i) {
    const long microseconds = std::uniform_int_distribution<long>(0, 30'000)(random);
    const bool stays = i % 2 == 0;
    kill_tracer_after(microseconds, victim.pid(),
                      stays ? TracedTree::Between::Attached : TracedTree::Between::Detached);
    const Deadline deadline;
    while ((!state_left(child).empty() || !sleeps(child)) && !deadline.passed()) ::sched_yield();
    const std::string left = state_left(child) + state_left(victim.pid());
    if (!left.empty()) return left;
  }
  if (!victim_lives(victim)) {
    return "the program died, wait status " + std::to_string(victim.wait());
  }
  victim.write_line("wake");
  std::istringstream words(victim.read_line());
  std::string word, result, microseconds, rest;
  words >> word >> result >> microseconds;
  std::getline(words, rest);
  const int status = victim.wait();
  if (status != 0) return "the parent ended with wait status " + std::to_string(status);
  return word + " " + result + rest + " / " + victim.read_line();
}

constexpr const char* kInterrupted = "RESULT -4 signals=0 registers=";

class AKilledTracerOf : public ::testing::TestWithParam<Blocked> {};

TEST_P(AKilledTracerOf, ABlockedCallLeavesItBlocked) {
  const auto& blocked = GetParam();
  const auto alone = run_undisturbed(blocked.call);
  const std::string expected = alone.result + " / " + alone.parent;
  std::mt19937 random(3);
  int changed = 0;
  for (int i = 0; i < 4; ++i) {
    const std::string seen = outlive_tracers(blocked, 6, random);
    if (seen == expected) continue;
    ++changed;
    const bool known =
        std::any_of(blocked.changed.begin(), blocked.changed.end(),
                    [&](const std::string& result) { return seen.starts_with(result); });
    EXPECT_TRUE(known) << seen << " instead of " << expected;
  }
  std::printf("%s: %d of 4 saw that tracers died\n", blocked.call.name.c_str(), changed);
}

INSTANTIATE_TEST_SUITE_P(
    All, AKilledTracerOf,
    ::testing::Values(
        Blocked{{"blocked_waits", "epoll_wait"}, {kInterrupted}},
        Blocked{{"blocked_waits", "poll"}, {kInterrupted}},
        Blocked{{"blocked_waits", "sigwaitinfo"}, {kInterrupted}},
        Blocked{{"blocked_waits", "wait4"}, {}}, Blocked{{"blocked_waits", "vfork"}, {}},
        Blocked{{"blocked_sync", "futex_wait"}, {}},
        Blocked{{"blocked_sync", "semop"}, {kInterrupted}},
        Blocked{{"blocked_files", "read_pipe"}, {}}, Blocked{{"blocked_files", "flock"}, {}},
        Blocked{{"blocked_sockets", "recvfrom_unix"}, {}},
        Blocked{{"blocked_sockets", "read_rcvtimeo_woken"}, {kInterrupted}},
        Blocked{{"blocked_waits", "epoll_wait_timeout_woken"}, {kInterrupted, "RESULT 1 "}},
        Blocked{{"blocked_sync", "semtimedop_woken"}, {kInterrupted, "RESULT 0 "}},
        Blocked{{"blocked_files", "write_pipe_partial"}, {"RESULT 65536 ", "RESULT 983040 "}},
        Blocked{{"blocked_files", "writev_pipe_partial"}, {"RESULT 65536 ", "RESULT 983040 "}},
        Blocked{{"blocked_sockets", "recv_waitall_partial"}, {"RESULT 100 "}}),
    [](const auto& blocked) { return blocked.param.call.name; });

}  // namespace
}  // namespace icecore::test

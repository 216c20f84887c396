// SPDX-License-Identifier: Apache-2.0
// What a snapshot may take from the one before, because the thread ran nothing in between, and what
// it may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "snapshot/capture/tree_capture.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"
#include "tests/support/deadline.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

std::string slurp(int pid, const char* file) {
  return ProcDirectory::read_file("/proc/" + std::to_string(pid) + "/" + file);
}

class QuietCapture : public ::testing::Test {
 protected:
  QuietCapture() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    tree_ = std::make_unique<TracedTree>(victim_.pid(), TracedTree::Between::Detached);
    capture_ = std::make_unique<TreeCapture>(*tree_, [this] { return store::SpaceId{++spaces_}; });
  }

  void freeze() { ASSERT_EQ(tree_->freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen); }
  void thaw() {
    tree_->thaw();
    while (tree_->dispatch()) {
    }
  }

  /// Until the victim waits in its read again.
  void settle() const {
    const test::Deadline deadline;
    while (proc::parse_stat(slurp(victim_.pid(), "stat")).state != 'S' && !deadline.passed()) {
      ::sched_yield();
    }
  }

  void wait_for_handler(bool installed) const {
    constexpr std::uint64_t kBit = 1ULL << static_cast<unsigned>(SIGUSR2 - 1);
    const test::Deadline deadline;
    while (((proc::parse_status(slurp(victim_.pid(), "status")).caught & kBit) != 0) != installed &&
           !deadline.passed()) {
      ::sched_yield();
    }
    settle();
  }

  /// A snapshot, with `before_freeze` done when all is prepared for it, and `while_frozen` in the
  /// pause behind it.
  template <typename Early, typename Action>
  model::Process snap(Early before_freeze, Action while_frozen) {
    if (capture_->wants_watches()) {
      tree_->note_sleepers();
      freeze();
      capture_->place_watches();
      thaw();
      settle();
    }
    capture_->prepare();
    tree_->note_sleepers();
    before_freeze();
    freeze();
    auto captured = capture_->take({});
    while_frozen();
    thaw();
    capture_->complete(*captured);
    settle();
    EXPECT_EQ(captured->model.processes_size(), 1);
    last_dirty_ = captured->model.timing().dirty_bytes();
    return captured->model.processes(0);
  }
  model::Process snap() {
    return snap([] {}, [] {});
  }
  /// Until snapshots are prepared by what the last two had in common.
  void rest() {
    settle();
    for (int i = 0; i < 3; ++i) snap();
  }

  test::Victim victim_{"settings"};
  std::uint64_t spaces_ = 0;
  std::uint64_t last_dirty_ = 0;
  std::unique_ptr<TracedTree> tree_;
  std::unique_ptr<TreeCapture> capture_;
};

std::uint64_t handler_of(const model::Process& process, int signal) {
  for (const auto& action : process.actions()) {
    if (action.signal() == signal) return action.handler();
  }
  return 0;
}

TEST_F(QuietCapture, KeepsWhatAnIdleProcessIsAndLeavesItsStackAlone) {
  settle();
  const auto first = snap();
  for (int i = 0; i < 3; ++i) snap();
  const auto last = snap();
  EXPECT_TRUE(last.sigactions_known());
  EXPECT_EQ(last.threads(0).registers(), first.threads(0).registers());
  EXPECT_EQ(last.threads(0).altstack().address(), first.threads(0).altstack().address());
  EXPECT_EQ(last.threads(0).altstack().size(), 65536U);
  EXPECT_EQ(last.threads(0).pdeath_signal(), SIGTERM);
  EXPECT_EQ(last.threads(0).clear_child_tid(), first.threads(0).clear_child_tid());
  EXPECT_EQ(last.layout().brk(), first.layout().brk());
  EXPECT_EQ(last.environment(), first.environment());
  EXPECT_EQ(last.auxv(), first.auxv());
  EXPECT_EQ(last.namespaces_size(), first.namespaces_size());
  EXPECT_EQ(last.mappings_size(), first.mappings_size());
  EXPECT_EQ(last.actions_size(), first.actions_size());
  // One page is the kernel's doing: it writes the rseq area of a thread that it resumes. A thread
  // that is asked gets words of ours on its stack's lowest page, too.
  EXPECT_LE(last_dirty_, 4096U) << "the idle process was made to run system calls";
}

TEST_F(QuietCapture, SeesWhatAThreadChangedThatWaitsAgainInTheSameCall) {
  settle();
  snap();
  const auto before = snap();
  victim_.write_line("c");
  wait_for_handler(true);
  const auto after = snap();
  EXPECT_NE(after.threads(0).altstack().address(), before.threads(0).altstack().address());
  EXPECT_EQ(after.threads(0).pdeath_signal(), SIGUSR1);
  EXPECT_NE(handler_of(after, SIGUSR2), 0U);
  ASSERT_EQ(after.interval_timers_size(), 1);
  // A timer runs on by itself: it is asked for in every snapshot.
  const auto later = snap();
  ASSERT_EQ(later.interval_timers_size(), 1);
  EXPECT_LE(later.interval_timers(0).value_us(), after.interval_timers(0).value_us());
}

// The call that the kernel starts again finds its byte and returns at once: the thread has slept as
// often as if nothing had happened, and waits with the very same registers.
TEST_F(QuietCapture, SeesWhatAThreadChangedWhoseCallHadNotToWait) {
  settle();
  snap();
  for (int round = 0; round < 10; ++round) {
    // The thread is at rest here, so that this snapshot is what the next is compared with.
    const auto before = snap([] {}, [&] { victim_.write_line("c"); });
    wait_for_handler(round % 2 == 0);
    const auto after = snap();
    EXPECT_NE(after.threads(0).altstack().address(), before.threads(0).altstack().address());
    EXPECT_NE(after.threads(0).pdeath_signal(), before.threads(0).pdeath_signal());
    EXPECT_NE(handler_of(after, SIGUSR2) != 0, handler_of(before, SIGUSR2) != 0);
  }
}

// What was prepared tells of a process at rest, and the freeze finds one that ran.
TEST_F(QuietCapture, SeesWhatAThreadChangesBetweenPreparationAndFreeze) {
  rest();
  for (int round = 0; round < 6; ++round) {
    const auto before = snap();
    const auto after = snap(
        [&] {
          victim_.write_line("c");
          wait_for_handler(round % 2 == 0);
        },
        [] {});
    EXPECT_NE(after.threads(0).altstack().address(), before.threads(0).altstack().address());
    EXPECT_NE(handler_of(after, SIGUSR2) != 0, handler_of(before, SIGUSR2) != 0);
    rest();
  }
}

// It does not even return to user code: the queue alone tells.
TEST_F(QuietCapture, SeesASignalThatComesBetweenPreparationAndFreeze) {
  rest();
  const auto seen = snap([&] { ::kill(victim_.pid(), SIGUSR1); }, [] {});
  EXPECT_EQ(seen.pending_signals_size(), 1);
  rest();
  EXPECT_EQ(snap().pending_signals_size(), 1);
}

constexpr std::uint64_t kMaskUsr1 = 1ULL << static_cast<unsigned>(SIGUSR1 - 1);
constexpr std::uint64_t kMaskTerm = 1ULL << static_cast<unsigned>(SIGTERM - 1);

// The kernel shows the mask of the call, not the one that the thread comes back with.
TEST_F(QuietCapture, KeepsTheMaskOfAThreadThatWaitsWithAnother) {
  victim_.write_line("s");
  rest();
  const auto first = snap();
  const auto last = snap();
  EXPECT_EQ(first.threads(0).system_call().number(), SYS_rt_sigsuspend);
  EXPECT_EQ(first.threads(0).signal_mask() & (kMaskUsr1 | kMaskTerm), kMaskUsr1);
  EXPECT_EQ(last.threads(0).signal_mask(), first.threads(0).signal_mask());
}

TEST_F(QuietCapture, CountsOnHowLongAThreadHasSlept) {
  victim_.write_line("n");
  rest();
  const auto first = snap();
  const auto last = snap();
  ASSERT_EQ(first.threads(0).system_call().number(), SYS_clock_nanosleep);
  EXPECT_GT(last.threads(0).system_call().slept_ns(), first.threads(0).system_call().slept_ns());
}

TEST_F(QuietCapture, SeesWhatOthersChangeOfAThreadAtRest) {
  rest();
  const pid_t pid = victim_.pid();
  const rlimit limit{77, 99};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
  ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 7), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ASSERT_EQ(::sched_setaffinity(pid, sizeof one, &one), 0);
  const auto seen = snap();
  EXPECT_EQ(seen.threads(0).nice(), 7);
  EXPECT_EQ(seen.threads(0).cpus_allowed(), "0");
  bool found = false;
  for (const auto& row : seen.limits()) {
    if (row.name() != "Max open files") continue;
    found = true;
    EXPECT_EQ(row.soft(), 77U);
    EXPECT_EQ(row.hard(), 99U);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace icecore::snapshot

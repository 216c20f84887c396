// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <string>

#include "snapshot/tracing/code_gadgets.h"
#include "snapshot/tracing/remote_process.h"
#include "snapshot/tracing/task_list.h"
#include "snapshot/tracing/traced_tree.h"
#include "tests/support/victim.h"

namespace icecore::test {
namespace {

using snapshot::TracedTree;
using Clock = std::chrono::steady_clock;

void block_sigchld() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void cycle(TracedTree& tree) {
  ASSERT_EQ(tree.freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
  tree.thaw();
  while (tree.dispatch()) {
  }
}

struct Race {
  std::string call;
  TracedTree::Between between;
};

class GenuineSignals : public ::testing::TestWithParam<Race> {};

TEST_P(GenuineSignals, InterruptAsOftenAsTheyAreSent) {
  block_sigchld();
  Victim victim("blocked_signals", {GetParam().call});
  long cycles = 0;
  victim.write_line("go");
  {
    TracedTree tree(victim.pid(), GetParam().between);
    if (GetParam().between == TracedTree::Between::Attached) tree.attach();
    const auto end = Clock::now() + std::chrono::milliseconds(2000);
    for (; Clock::now() < end; ++cycles) {
      cycle(tree);
      // Back to back they leave the program no time to send any.
      constexpr long kBreath = 16;
      if (cycles % kBreath == 0) ::usleep(200);
    }
  }
  std::istringstream counts(victim.send("stop"));
  long sent = 0, handled = 0, interrupted = 0, wrong = 0;
  counts >> sent >> handled >> interrupted >> wrong;
  RecordProperty("freezes", std::to_string(cycles));
  RecordProperty("signals", std::to_string(sent));
  std::printf("%ld freezes, %ld signals, %ld EINTR\n", cycles, sent, interrupted);
  EXPECT_GT(handled, 50);
  EXPECT_EQ(handled, sent);
  EXPECT_EQ(wrong, 0);
  if (GetParam().call == "epoll_pwait") {
    // Only here can the program itself tell that no signal came beside the call.
    EXPECT_EQ(interrupted, handled);
  } else {
    EXPECT_GT(interrupted, 0);
    // A write that was partly done when we detach ends short, once.
    const bool ends_short = GetParam().call == "write";
    EXPECT_LE(interrupted, handled + (ends_short ? 1 : 0));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GenuineSignals,
                         ::testing::Values(Race{"epoll_pwait", TracedTree::Between::Detached},
                                           Race{"epoll_pwait", TracedTree::Between::Attached},
                                           Race{"semop", TracedTree::Between::Detached},
                                           Race{"sigtimedwait", TracedTree::Between::Detached},
                                           Race{"sigtimedwait", TracedTree::Between::Attached},
                                           Race{"nanosleep", TracedTree::Between::Detached},
                                           Race{"write", TracedTree::Between::Detached},
                                           Race{"write", TracedTree::Between::Attached}),
                         [](const auto& race) {
                           const bool stays = race.param.between == TracedTree::Between::Attached;
                           return race.param.call + (stays ? "_attached" : "_detached");
                         });

TEST(SignalsToAFrozenTree, ArriveOnceAndInOrderAfterwards) {
  block_sigchld();
  Victim victim("blocked_signals", {"queue"});
  TracedTree tree(victim.pid(), TracedTree::Between::Detached);
  ASSERT_EQ(tree.freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
  for (int i = 1; i <= 5; ++i) {
    sigval value{};
    value.sival_int = i;
    ::sigqueue(victim.pid(), SIGRTMIN, value);
  }
  ::kill(victim.pid(), SIGUSR1);
  tree.thaw();
  for (int i = 0; i < 20; ++i) cycle(tree);
  EXPECT_EQ(victim.send("tell"), "1 2 3 4 5 usr1=1");
}

char state_of(int pid) {
  const auto stat = snapshot::task_stat(pid, pid);
  return stat ? stat->state : '?';
}

void await_state(int pid, char state) {
  const Deadline deadline;
  while (state_of(pid) != state && !deadline.passed()) ::sched_yield();
  ASSERT_EQ(state_of(pid), state);
}

TEST(AJobStoppedProgram, StaysStoppedAndItsParentSeesNothing) {
  block_sigchld();
  Victim victim("blocked_waits", {"poll"});
  const int child = std::stoi(victim.greeting());
  await_state(child, 'S');
  ::kill(child, SIGSTOP);
  await_state(child, 'T');
  TracedTree tree(victim.pid(), TracedTree::Between::Detached);
  for (int i = 0; i < 20; ++i) {
    cycle(tree);
    await_state(child, 'T');  // from our stop it goes back into its own
  }
  ASSERT_EQ(tree.freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
  ::kill(child, SIGCONT);
  tree.thaw();
  await_state(child, 'S');
  for (int i = 0; i < 20; ++i) cycle(tree);
  // The program has a handler for SIGCONT, which interrupts its poll() once.
  const std::string result = victim.read_line();
  EXPECT_EQ(result.substr(0, 10), "RESULT -4 ");
  EXPECT_NE(result.find("signals=1 "), std::string::npos) << result;
  victim.wait();
  EXPECT_EQ(victim.read_line().substr(0, 40), "PARENT sigchld=3 stopped=1 continued=1 s");
}

volatile sig_atomic_t handled = 0;

/// Its exit status tells what was wrong. epoll_pwait() and ppoll() answer -EINTR and
/// -ERESTARTNOHAND in the kernel.
[[noreturn]] void wait_with_another_mask(bool by_epoll) {
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  ::signal(SIGUSR1, [](int) { handled = handled + 1; });
  epoll_event event{};
  const int result = by_epoll ? ::epoll_pwait(::epoll_create1(0), &event, 1, 20'000, &none)
                              : ::ppoll(nullptr, 0, nullptr, &none);
  if (result != -1 || errno != EINTR) ::_exit(1);
  if (handled != 1) ::_exit(2);
  ::sigprocmask(SIG_SETMASK, nullptr, &none);
  ::_exit(sigismember(&none, SIGUSR1) == 1 ? 0 : 3);
}

class ATemporaryMask : public ::testing::TestWithParam<bool> {};

TEST_P(ATemporaryMask, LetsItsSignalThroughAfterRemoteCalls) {
  block_sigchld();
  const pid_t child = ::fork();
  if (child == 0) wait_with_another_mask(GetParam());
  await_state(child, 'S');
  int status = -1;
  {
    TracedTree tree(child, TracedTree::Between::Attached);
    tree.attach();
    // Its stop, just before the handler, is the one that the freeze then finds.
    ::kill(child, SIGUSR1);
    await_state(child, 't');
    ASSERT_EQ(tree.freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
    {
      snapshot::GadgetFinder finder;
      auto remote = snapshot::RemoteProcess::enter(tree, finder, child);
      ASSERT_TRUE(remote);
      EXPECT_EQ(remote->call(SYS_getpid, {}), child);
    }
    tree.thaw();
    const Deadline deadline;
    while (status == -1 && !deadline.passed()) {
      const auto event = tree.dispatch();
      if (event && event->kind == snapshot::TreeEvent::Kind::RootExited) status = event->status;
    }
  }
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(All, ATemporaryMask, ::testing::Bool(), [](const auto& each) {
  return each.param ? std::string("epoll_pwait") : std::string("ppoll");
});

}  // namespace
}  // namespace icecore::test

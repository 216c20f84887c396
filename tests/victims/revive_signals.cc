// SPDX-License-Identifier: Apache-2.0
// Signals that wait: for the process and for a thread, queued ones with their values in their
// order; actions, masks, the alternate stack; timers of all kinds.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <vector>

#include "revive_case.h"

namespace {

std::vector<std::pair<int, int>> arrived;
bool on_altstack = true;
std::array<char, 65536> alternate;

void handle(int signal, siginfo_t* info, void*) {
  const char here = 0;
  if (&here < alternate.data() || &here > alternate.data() + alternate.size()) on_altstack = false;
  arrived.emplace_back(signal, info->si_value.sival_int);
}

std::string actions() {
  std::string text;
  for (int signal = 1; signal < 65; ++signal) {
    struct {
      std::uint64_t handler, flags, restorer, mask;
    } action{};
    ::syscall(SYS_rt_sigaction, signal, nullptr, &action, 8);
    text += std::to_string(action.handler) + " " + std::to_string(action.flags) + " " +
            std::to_string(action.restorer) + " " + std::to_string(action.mask) + "\n";
  }
  return text;
}

std::string pending() {
  const std::string status = revive::read_file("/proc/self/status");
  const auto from = status.find("SigPnd");
  return status.substr(from, status.find("CapInh") - from);
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  stack_t stack{};
  stack.ss_sp = alternate.data();
  stack.ss_size = alternate.size();
  ::sigaltstack(&stack, nullptr);
  sigset_t blocked;
  sigemptyset(&blocked);
  const std::array signals{SIGRTMIN + 1, SIGRTMIN + 5, SIGUSR1, SIGUSR2};
  for (const int signal : signals) {
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaddset(&action.sa_mask, SIGRTMIN + 7);
    ::sigaction(signal, &action, nullptr);
    sigaddset(&blocked, signal);
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGTRAP, SIG_IGN);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  for (int value = 1; value <= 3; ++value) {
    sigval with{};
    with.sival_int = value;
    ::sigqueue(::getpid(), SIGRTMIN + 5, with);
    with.sival_int = value + 10;
    pthread_sigqueue(pthread_self(), SIGRTMIN + 1, with);
  }
  ::kill(::getpid(), SIGUSR2);

  timer_t first{};
  timer_t second{};
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  event.sigev_value.sival_int = 77;
  ::timer_create(CLOCK_MONOTONIC, &event, &first);
  ::timer_delete(first);
  ::timer_create(CLOCK_REALTIME, &event, &second);
  const itimerspec hour{{60, 0}, {3600, 0}};
  ::timer_settime(second, 0, &hour, nullptr);
  const itimerval alarm{{0, 0}, {1000, 0}};
  ::setitimer(ITIMER_REAL, &alarm, nullptr);
  const itimerval profile{{5, 0}, {500, 0}};
  ::setitimer(ITIMER_VIRTUAL, &profile, nullptr);

  const std::string actions_before = actions();
  const std::string pending_before = pending();
  const std::string timers_before = revive::read_file("/proc/self/timers");
  revive::ready();
  revive::wait_for_go();

  revive::expect_equal("the signal actions", actions(), actions_before);
  revive::expect_equal("the pending signals", pending(), pending_before);
  revive::expect_equal("/proc/self/timers", revive::read_file("/proc/self/timers"), timers_before);
  itimerspec left{};
  ::timer_gettime(second, &left);
  if (left.it_value.tv_sec < 3500 || left.it_value.tv_sec > 3600 || left.it_interval.tv_sec != 60) {
    revive::differs("a POSIX timer");
  }
  itimerval now{};
  ::getitimer(ITIMER_REAL, &now);
  if (now.it_value.tv_sec < 900 || now.it_value.tv_sec > 1000) revive::differs("ITIMER_REAL");
  ::getitimer(ITIMER_VIRTUAL, &now);
  if (now.it_value.tv_sec < 490 || now.it_interval.tv_sec != 5) revive::differs("ITIMER_VIRTUAL");
  ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  const std::vector<std::pair<int, int>> wanted{
      {SIGUSR2, 0},      {SIGRTMIN + 1, 11}, {SIGRTMIN + 1, 12}, {SIGRTMIN + 1, 13},
      {SIGRTMIN + 5, 1}, {SIGRTMIN + 5, 2},  {SIGRTMIN + 5, 3}};
  auto sorted = arrived;
  // Of different signals the handlers of the later nest in those of the earlier; each one's own
  // order is what counts.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [signal, value] : sorted) {
    if (signal == SIGUSR2) value = 0;
  }
  if (sorted != wanted) revive::differs("the signals that arrived, or their order");
  if (!on_altstack) revive::differs("a handler ran on the wrong stack");
  revive::finish();
}

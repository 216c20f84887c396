// SPDX-License-Identifier: Apache-2.0
// Waits in one and the same read(2), SIGUSR1 blocked; for each byte 'c', changes what only a system
// call of its own can; 'n' sleeps and 's' suspends, with another mask.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>

namespace {

char stacks[2][65536];

void ignore(int) {}

void change(int step) {
  stack_t stack{};
  stack.ss_sp = stacks[step % 2];
  stack.ss_size = sizeof stacks[0];
  sigaltstack(&stack, nullptr);
  prctl(PR_SET_PDEATHSIG, step % 2 == 0 ? SIGTERM : SIGUSR1);
  const itimerval timer{{0, 0}, {step % 2 == 0 ? 0 : 100000, 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  // Last: /proc shows it, so that the test knows when all is done.
  signal(SIGUSR2, step % 2 == 0 ? SIG_DFL : ignore);
}

}  // namespace

int main() {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  change(0);
  std::puts("READY");
  std::fflush(stdout);
  int step = 0;
  for (char byte; read(0, &byte, 1) == 1;) {
    if (byte == 'c') change(++step);
    if (byte == 'n') sleep(1000);
    sigset_t nothing;
    sigemptyset(&nothing);
    sigaddset(&nothing, SIGTERM);
    if (byte == 's') sigsuspend(&nothing);
  }
}

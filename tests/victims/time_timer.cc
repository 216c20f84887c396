// SPDX-License-Identifier: Apache-2.0
// Computes, interrupted by a timer more often than a recorder could keep up with.
#include <signal.h>
#include <sys/time.h>

#include <cstdio>

extern "C" {

volatile long alarms = 0;
volatile long strange = 0;
volatile unsigned long mixed = 1;

void on_alarm(int, siginfo_t* info, void*) {
  alarms = alarms + 1;
  if (info->si_code != SI_KERNEL) strange = strange + 1;
}

__attribute__((noinline)) void finished() {
  std::printf("%ld alarms, %ld strange, %lu\n", alarms, strange, mixed);
}

}  // extern "C"

int main() {
  struct sigaction action {};
  action.sa_sigaction = on_alarm;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGALRM, &action, nullptr);
  itimerval often{{0, 300}, {0, 300}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  for (unsigned long i = 0; i < 100'000'000; ++i) mixed = mixed * 3 + i;
  often = {};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  finished();
}

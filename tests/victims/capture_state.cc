// SPDX-License-Identifier: Apache-2.0
// Sets itself up in unusual ways and tells its own state, "name=value" each, behind READY. A thread
// named "reader" sleeps in read(); "undumpable" gives up being dumped, "exit_leader" ends the main
// thread alone.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

int ends[2];
int ready[2];
char buffer[8];

void* read_forever(void*) {
  ::prctl(PR_SET_NAME, "reader");
  ::prctl(PR_SET_TIMERSLACK, 12345UL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::syscall(SYS_setpriority, PRIO_PROCESS, 0, 5);
  const int tid = static_cast<int>(::syscall(SYS_gettid));
  if (::write(ready[1], &tid, sizeof tid) < 0) return nullptr;
  if (::read(ends[0], buffer, sizeof buffer) < 0) return nullptr;
  return nullptr;
}

void set_up() {
  ::umask(027);
  ::prctl(PR_SET_NAME, "odd (name) 1");
  const rlimit files = {111, 222};
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::chdir("/usr");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::kill(::getpid(), SIGUSR1);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  event.sigev_value.sival_int = 77;
  timer_t timer;
  ::timer_create(CLOCK_MONOTONIC, &event, &timer);
}

}  // namespace

int main() {
  set_up();
  int tid = 0;
  pthread_t thread;
  if (::pipe(ends) != 0 || ::pipe(ready) != 0) return 1;
  ::pthread_create(&thread, nullptr, &read_forever, nullptr);
  if (::read(ready[0], &tid, sizeof tid) < 0) return 1;
  std::printf("READY ppid=%d pgid=%d sid=%d reader=%d read_fd=%d buffer=%lu\n", ::getppid(),
              ::getpgrp(), ::getsid(0), tid, ends[0], reinterpret_cast<unsigned long>(buffer));
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strcmp(line, "undumpable\n") == 0) ::prctl(PR_SET_DUMPABLE, 0);
    std::printf("DONE\n");
    std::fflush(stdout);
    if (std::strcmp(line, "exit_leader\n") == 0) ::pthread_exit(nullptr);
  }
}

// SPDX-License-Identifier: Apache-2.0
// A tree: "grow N" forks a chain of N processes, each the child of the one before, and tells their
// pids; "storm" keeps forking children that end at once, until the next line; "thread_child" forks
// from a second thread; "zombie" leaves an ended child unreaped. All tell pids.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

namespace {

std::atomic<bool> storming = false;

[[noreturn]] void rest() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) ::pause();
}

// Each tells its pid before it forks the next, the last of them writes the line's end.
void grow(int count) {
  if (count == 0) {
    std::printf("\n");
    std::fflush(stdout);
    return;
  }
  const pid_t child = ::fork();
  if (child > 0) return;
  std::printf("%d ", ::getpid());
  std::fflush(stdout);
  grow(count - 1);
  rest();
}

void storm() {
  storming = true;
  std::thread([] {
    while (storming) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      ::waitpid(child, nullptr, 0);
    }
  }).detach();
}

pid_t fork_resting() {
  const pid_t child = ::fork();
  if (child == 0) rest();
  return child;
}

pid_t make_zombie() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(3);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  return child;
}

// PDEATHSIG follows the thread that forked, so that one must stay.
void fork_from_thread() {
  std::thread([] {
    std::printf("%d\n", fork_resting());
    std::fflush(stdout);
    for (;;) ::pause();
  }).detach();
}

}  // namespace

int main() {
  std::printf("READY\n");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    storming = false;
    int count = 0;
    if (std::sscanf(line, "grow %d", &count) == 1) {
      grow(count);
      continue;
    }
    if (std::strcmp(line, "thread_child\n") == 0) {
      fork_from_thread();
      continue;
    }
    if (std::strcmp(line, "storm\n") == 0) storm();
    std::printf("%d\n", std::strcmp(line, "zombie\n") == 0 ? make_zombie() : ::getpid());
    std::fflush(stdout);
  }
}

// SPDX-License-Identifier: Apache-2.0
// A tree of an unusual shape: "threads N", "processes N", "bomb" (forks until "calm"), "spawn" (the
// same by posix_spawn in three threads, whose parents wait inside of vfork),
// "leaderless", "zombie", "debugger" (a child that traces another) and "step" (it does its work).
#include <fcntl.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include <cstdlib>

#include "blocked_case.h"

namespace {

int to_debugger[2], from_debugger[2];

[[noreturn]] void rest() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) ::pause();
}

pid_t forked(void (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  return child;
}

std::atomic<bool> bombing{false};
std::vector<std::thread> bombers;

/// Some 200 a second, each with a child of its own, alive for some ms.
void bomb() {
  bombing = true;
  bombers.emplace_back([] {
    while (bombing) {
      const pid_t child = forked([] {
        const pid_t grandchild = forked([] { ::usleep(20'000); });
        ::usleep(10'000);
        ::waitpid(grandchild, nullptr, 0);
      });
      ::usleep(5'000);
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      if (child < 0) ::_exit(1);
    }
  });
}

void spawn() {
  bombing = true;
  for (int i = 0; i < 3; ++i) {
    bombers.emplace_back([] {
      char* arguments[] = {const_cast<char*>("true"), nullptr};
      while (bombing) {
        pid_t child = 0;
        int status = 0;
        if (::posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environ) != 0 ||
            ::waitpid(child, &status, 0) != child || status != 0) {
          ::_exit(1);
        }
      }
    });
  }
}

void leave_threads_without_leader() {
  std::thread([] { rest(); }).detach();
  ::pthread_exit(nullptr);
}

/// Traces a child of its own, and steps it when it is told to.
void debug() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t child = forked([] {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) asm volatile("");
  });
  int status = 0;
  ::ptrace(PTRACE_ATTACH, child, nullptr, nullptr);
  ::waitpid(child, &status, __WALL);
  if (::write(from_debugger[1], &child, sizeof child) != sizeof child) ::_exit(1);
  char byte;
  while (::read(to_debugger[0], &byte, 1) == 1) {
    user_regs_struct before{}, after{};
    ::ptrace(PTRACE_GETREGS, child, nullptr, &before);
    ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
    ::waitpid(child, &status, __WALL);
    ::ptrace(PTRACE_GETREGS, child, nullptr, &after);
    const int good = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && after.rip != 0;
    if (::write(from_debugger[1], &good, sizeof good) != sizeof good) ::_exit(1);
  }
}

void start_debugger() {
  if (::pipe2(to_debugger, O_CLOEXEC) != 0 || ::pipe2(from_debugger, O_CLOEXEC) != 0) ::abort();
  const pid_t debugger = forked(debug);
  pid_t debugged = 0;
  if (::read(from_debugger[0], &debugged, sizeof debugged) != sizeof debugged) ::abort();
  std::printf("%d %d\n", debugger, debugged);
}

void step() {
  int good = 0;
  if (::write(to_debugger[1], "s", 1) != 1) ::abort();
  if (::read(from_debugger[0], &good, sizeof good) != sizeof good) ::abort();
  std::printf(good != 0 ? "stepped\n" : "lost\n");
}

void obey(const char* line) {
  int count = 0;
  if (std::sscanf(line, "threads %d", &count) == 1) {
    for (int i = 0; i < count; ++i) std::thread([] { rest(); }).detach();
    std::printf("%d\n", count);
  } else if (std::sscanf(line, "processes %d", &count) == 1) {
    for (int i = 0; i < count; ++i) forked(rest);
    std::printf("%d\n", count);
  } else if (std::strcmp(line, "bomb\n") == 0) {
    bomb();
    std::printf("bombing\n");
  } else if (std::strcmp(line, "spawn\n") == 0) {
    spawn();
    std::printf("spawning\n");
  } else if (std::strcmp(line, "calm\n") == 0) {
    bombing = false;
    for (auto& bomber : bombers) bomber.join();
    bombers.clear();
    std::printf("calm\n");
  } else if (std::strcmp(line, "leaderless\n") == 0) {
    std::printf("%d\n", forked(leave_threads_without_leader));
  } else if (std::strcmp(line, "zombie\n") == 0) {
    const pid_t child = forked([] {});
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    std::printf("%d\n", child);
  } else if (std::strcmp(line, "debugger\n") == 0) {
    start_debugger();
  } else if (std::strcmp(line, "step\n") == 0) {
    step();
  } else {
    std::printf("alive\n");
  }
  std::fflush(stdout);
}

}  // namespace

int main() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  blocked::ready();
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) obey(line);
}

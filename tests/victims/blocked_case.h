// SPDX-License-Identifier: Apache-2.0
// What the blocked_* victims share: each has a table of cases, is started with the name of one,
// says "READY PID", blocks in that call and reports what it saw. Its parent reports what it saw of
// it. "wake" on stdin ends the call, the end of stdin ends the program; "list" lists the cases.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

namespace blocked {

inline constexpr int kTimeoutMs = 4000;

enum class End { Wake, Timeout };

struct Case {
  const char* name;
  End end;
  std::function<long()> call;  // answers -errno
  std::function<void()> wake = [] {};
};

inline std::atomic<int> signals_seen{0};
inline std::atomic<bool> registers_changed{false};

/// The system call itself; notices when argument registers come back changed.
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                long f = 0) {
  const long before[] = {a, b, c, d, e, f};
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result = number;
  asm volatile("syscall"
               : "+a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
               :
               : "rcx", "r11", "memory");
  const long after[] = {a, b, c, r10, r8, r9};
  if (std::memcmp(before, after, sizeof before) != 0) registers_changed = true;
  return result;
}

template <typename T>
long address(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

inline timespec after(int milliseconds) {
  return {milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
}

/// `milliseconds` from now on `clock`, absolute.
inline timespec at(clockid_t clock, int milliseconds) {
  timespec now;
  ::clock_gettime(clock, &now);
  now.tv_sec += milliseconds / 1000;
  return now;
}

/// The call begins: what is said and measured starts here.
inline timespec begun;
inline void ready() {
  std::printf("READY %d\n", ::getpid());
  std::fflush(stdout);
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
}

/// A child process that ends when its turn to read from `fd` has come.
inline pid_t child_waiting_for(
    int fd, const std::function<void()>& first = [] {}) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  first();
  char byte;
  while (::read(fd, &byte, 1) < 0) {
  }
  ::_exit(0);
}

inline void count_signal(int) { ++signals_seen; }

[[noreturn]] inline void block_in(const Case& chosen) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The second thread must not make an arena of its own while others compare our mappings.
  static char input[256];
  std::setvbuf(stdin, input, _IOLBF, sizeof input);
  // SIGCHLD is the business of the cases that have children, SIGALRM that of those that want it.
  for (int signal = 1; signal < 65; ++signal) {
    if (signal != SIGCHLD && signal != SIGSEGV && signal != SIGBUS && signal != 32 &&
        signal != 33 && signal != 34) {
      ::signal(signal, count_signal);
    }
  }
  std::thread([&chosen] {
    char line[64];
    while (std::fgets(line, sizeof line, stdin) != nullptr) chosen.wake();
    ::_exit(0);
  }).detach();
  const long result = chosen.call();
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const long microseconds =
      (now.tv_sec - begun.tv_sec) * 1'000'000 + (now.tv_nsec - begun.tv_nsec) / 1000;
  std::printf("RESULT %ld %ld signals=%d registers=%s\n", result, microseconds, signals_seen.load(),
              registers_changed ? "changed" : "kept");
  std::fflush(stdout);
  for (;;) ::pause();
}

inline std::atomic<int> children_signals{0};

/// The parent: everything that it could see of its child by signals and wait statuses.
inline int watch(pid_t child) {
  int stopped = 0, continued = 0;
  for (int status = 0;;) {
    const pid_t got = ::waitpid(child, &status, WUNTRACED | WCONTINUED);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return 1;
    if (WIFSTOPPED(status)) ++stopped;
    if (WIFCONTINUED(status)) ++continued;
    if (!WIFEXITED(status) && !WIFSIGNALED(status)) continue;
    std::printf("PARENT sigchld=%d stopped=%d continued=%d status=%d\n", children_signals.load(),
                stopped, continued, status);
    std::fflush(stdout);
    return 0;
  }
}

inline int run(int argc, char** argv, const std::vector<Case>& cases) {
  if (argc < 2) return 2;
  if (std::strcmp(argv[1], "list") == 0) {
    std::printf("READY");
    for (const auto& each : cases) {
      std::printf(" %s:%d", each.name, each.end == End::Timeout ? kTimeoutMs : 0);
    }
    std::printf("\n");
    return 0;
  }
  for (const auto& each : cases) {
    if (std::strcmp(argv[1], each.name) != 0) continue;
    ::signal(SIGCHLD, [](int) { ++children_signals; });
    sigset_t none;  // whoever started us may have blocked it
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGCHLD, SIG_DFL);
      block_in(each);
    }
    return watch(child);
  }
  return 2;
}

}  // namespace blocked

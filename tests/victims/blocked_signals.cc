// SPDX-License-Identifier: Apache-2.0
// Is interrupted in one call over and over by its own second thread, which sends the next signal
// when the last was handled. "stop" answers what was sent, handled and returned; "queue" what came
// of real-time signals, in order.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "blocked_case.h"

namespace {

using namespace blocked;

std::atomic<long> calls{0}, sent{0}, handled{0}, interrupted{0}, wrong{0};
std::atomic<bool> over{false}, ended{false};
std::string queue;

long block(const char* name) {
  static const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  static const int set = ::semget(IPC_PRIVATE, 1, 0600);
  static epoll_event event;
  static int ends[2] = {-1, -1};
  static char buffer[1 << 20];
  static sigset_t none, usr2;
  static timespec minute{60, 0};
  if (std::strcmp(name, "epoll_pwait") == 0) {
    return raw(SYS_epoll_pwait, epoll, address(&event), 1, -1, address(&none), 8);
  }
  if (std::strcmp(name, "semop") == 0) {
    static sembuf take{0, -1, 0};
    return raw(SYS_semop, set, address(&take), 1);
  }
  if (std::strcmp(name, "sigtimedwait") == 0) {
    sigaddset(&usr2, SIGUSR2);
    return raw(SYS_rt_sigtimedwait, address(&usr2), 0, address(&minute), 8);
  }
  if (std::strcmp(name, "nanosleep") == 0) return raw(SYS_nanosleep, address(&minute), 0);
  // write: what fits is written, then it blocks and ends short.
  if (ends[0] < 0 && ::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const long result = raw(SYS_write, ends[1], address(buffer), sizeof buffer);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  while (::read(ends[0], buffer, sizeof buffer) > 0) {
  }
  return result == 65536 ? -EINTR : result;
}

/// Signals that come outside the call do not count: they are blocked there where the call itself
/// can unblock them; elsewhere the sender tries again.
void interrupt(pid_t main_thread, bool exact) {
  unsigned seed = 1;
  for (long turn = 1; !over; ++turn) {
    while (calls < turn && !over) ::sched_yield();
    for (unsigned i = ::rand_r(&seed) % 20000; i > 0; --i) asm volatile("");
    do {
      const long before = handled;
      ++sent;
      ::syscall(SYS_tgkill, ::getpid(), main_thread, SIGUSR1);
      while (handled == before) ::sched_yield();
      for (int i = 0; i < 200 && calls == turn && !exact; ++i) ::sched_yield();
    } while (calls == turn && !exact && !over);
    while (calls == turn && !over) ::sched_yield();
  }
  // Wakes the last call.
  while (!ended) {
    ++sent;
    const long before = handled;
    ::syscall(SYS_tgkill, ::getpid(), main_thread, SIGUSR1);
    while (handled == before && !(exact && ended)) ::sched_yield();
    if (handled == before) --sent;  // too late for the last call: it stays blocked for ever
  }
}

void control(const char* name, pid_t main_thread) {
  const bool exact = std::strcmp(name, "epoll_pwait") == 0;
  char line[64];
  std::thread sender;
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strcmp(line, "go\n") == 0) {
      sender = std::thread(interrupt, main_thread, exact);
      continue;
    }
    over = true;
    sender.join();
    std::printf("%ld %ld %ld %ld\n", sent.load(), handled.load(), interrupted.load(), wrong.load());
    std::fflush(stdout);
  }
  ::_exit(0);
}

/// Tells the real-time signals that came, and how often SIGUSR1 did.
int tell_queue() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&action.sa_mask);
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    queue += std::to_string(info->si_value.sival_int) + " ";
  };
  queue.reserve(1024);
  ::sigaction(SIGRTMIN, &action, nullptr);
  action.sa_sigaction = [](int, siginfo_t*, void*) { ++handled; };
  ::sigaction(SIGUSR1, &action, nullptr);
  ready();
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::printf("%susr1=%ld\n", queue.c_str(), handled.load());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* name = argv[1];
  if (std::strcmp(name, "queue") == 0) return tell_queue();
  struct sigaction action {};
  action.sa_handler = [](int) { ++handled; };
  ::sigaction(SIGUSR1, &action, nullptr);
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  const pid_t main_thread = ::gettid();
  std::thread(control, name, main_thread).detach();
  if (std::strcmp(name, "epoll_pwait") != 0) ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  ready();
  while (!over) {
    ++calls;
    ++(block(name) == -EINTR ? interrupted : wrong);
  }
  ended = true;
  for (;;) ::pause();
}

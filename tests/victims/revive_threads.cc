// SPDX-License-Identifier: Apache-2.0
// Threads in the middle of many things: their ids, names, thread-local variables, masks, robust
// mutexes, timers slack, condition variables; and a sleep that must end when it would have.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "revive_case.h"

namespace {

constexpr int kThreads = 12;
thread_local int own_number = -1;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
pthread_mutex_t robust;
bool open_gate = false;
int waiting = 0;

struct Seen {
  long tid;
  std::string name;
  std::string mask;
  std::string altstack;
  long rseq;
};
std::array<Seen, kThreads> before;
std::array<Seen, kThreads> after;

Seen look() {
  Seen seen{};
  seen.tid = ::syscall(SYS_gettid);
  std::array<char, 16> name{};
  ::prctl(PR_GET_NAME, name.data());
  seen.name = name.data();
  const std::string status = revive::read_file("/proc/thread-self/status");
  seen.mask = status.substr(status.find("SigBlk"), 30);
  stack_t stack{};
  ::sigaltstack(nullptr, &stack);
  seen.altstack = std::to_string(reinterpret_cast<std::uintptr_t>(stack.ss_sp)) + "/" +
                  std::to_string(stack.ss_size) + "/" + std::to_string(stack.ss_flags);
  return seen;
}

void* work(void* argument) {
  const auto number = static_cast<int>(reinterpret_cast<std::intptr_t>(argument));
  const auto index = static_cast<std::size_t>(number);
  own_number = number;
  ::prctl(PR_SET_NAME, ("worker-" + std::to_string(number)).c_str());
  ::prctl(PR_SET_TIMERSLACK, 100000UL + static_cast<unsigned long>(number));
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN + number);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  std::vector<char> space(65536);
  stack_t stack{};
  stack.ss_sp = space.data();
  stack.ss_size = space.size() - index * 64;
  ::sigaltstack(&stack, nullptr);
  if (number == 0) pthread_mutex_lock(&robust);
  before[index] = look();
  pthread_mutex_lock(&mutex);
  ++waiting;
  while (!open_gate) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  after[index] = look();
  if (own_number != number) revive::differs("a thread-local variable");
  if (::prctl(PR_GET_TIMERSLACK) != 100000 + number) revive::differs("a timer slack");
  return nullptr;  // the first one with the robust mutex locked
}

std::array<std::int64_t, 4> slept_ms;

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

constexpr std::int64_t kSleep = 1500;  // ms

void* sleep_in(void* argument) {
  const auto kind = reinterpret_cast<std::intptr_t>(argument);
  const std::int64_t start = now_ms();
  const timespec time{kSleep / 1000, kSleep % 1000 * 1000000};
  if (kind == 0 && ::nanosleep(&time, nullptr) != 0) revive::differs("nanosleep failed");
  if (kind == 1 && ::poll(nullptr, 0, kSleep) != 0) revive::differs("poll failed");
  if (kind == 2) {
    int word = 0;
    if (::syscall(SYS_futex, &word, 0, 0, &time, nullptr, 0) == 0 || errno != ETIMEDOUT) {
      revive::differs("futex did not time out");
    }
  }
  if (kind == 3) {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    until.tv_nsec += 500000000;
    if (until.tv_nsec >= 1000000000) {
      until.tv_nsec -= 1000000000;
      ++until.tv_sec;
    }
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  slept_ms[static_cast<std::size_t>(kind)] = now_ms() - start;
  return nullptr;
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  std::array<pthread_t, kThreads> threads{};
  for (std::intptr_t i = 0; i < kThreads; ++i) {
    pthread_create(&threads[static_cast<std::size_t>(i)], nullptr, work,
                   reinterpret_cast<void*>(i));
  }
  while (true) {
    pthread_mutex_lock(&mutex);
    const int now = waiting;
    pthread_mutex_unlock(&mutex);
    if (now == kThreads) break;
    ::usleep(1000);
  }
  std::array<pthread_t, 4> sleepers{};
  for (std::intptr_t i = 0; i < 4; ++i) {
    pthread_create(&sleepers[static_cast<std::size_t>(i)], nullptr, sleep_in,
                   reinterpret_cast<void*>(i));
  }
  ::usleep(300000);
  revive::ready();
  revive::wait_for_go();
  pthread_mutex_lock(&mutex);
  open_gate = true;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  for (const pthread_t thread : sleepers) pthread_join(thread, nullptr);
  for (std::size_t i = 0; i < kThreads; ++i) {
    revive::expect_equal("a tid", after[i].tid, before[i].tid);
    revive::expect_equal("a name", after[i].name, before[i].name);
    revive::expect_equal("a mask", after[i].mask, before[i].mask);
    revive::expect_equal("an alternate stack", after[i].altstack, before[i].altstack);
  }
  revive::expect_equal("locking a dead thread's mutex", pthread_mutex_lock(&robust), EOWNERDEAD);
  // Never early; late by what the restore takes, which is long on a busy machine.
  for (const std::int64_t slept : slept_ms) {
    if (slept < kSleep - 1) revive::differs("a sleep ended after " + std::to_string(slept) + " ms");
    if (slept > kSleep + 5000) {
      revive::differs("a sleep took " + std::to_string(slept) + " ms");
    }
  }
  revive::finish();
}

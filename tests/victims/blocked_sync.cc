// SPDX-License-Identifier: Apache-2.0
// Blocks in one call on a futex or a semaphore.
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include <cstdint>
#include <cstdlib>

#include "blocked_case.h"

namespace {

using namespace blocked;

std::uint32_t word = 0;
timespec limit = after(kTimeoutMs);
sembuf take{0, -1, 0};
int set = -1;

void wake_word() {
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}
long wait_on_word(int operation, timespec* timeout) {
  ready();
  return raw(SYS_futex, address(&word), operation, 0, address(timeout), 0,
             static_cast<long>(FUTEX_BITSET_MATCH_ANY));
}
/// Another thread holds the PI lock until the wake.
std::atomic<bool> let_go{false};
void lock_elsewhere() {
  std::atomic<bool> locked{false};
  std::thread([&locked] {
    ::syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0);
    locked = true;
    let_go.wait(false);
    ::syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0);
    for (;;) ::pause();
  }).detach();
  while (!locked) ::sched_yield();
}
void unlock() {
  let_go = true;
  let_go.notify_all();
}
int make_set() {
  set = ::semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) std::abort();
  ready();
  return set;
}
void post_set() {
  sembuf give{0, 1, 0};
  ::semop(set, &give, 1);
}
long done_with_set(long result) {
  ::semctl(set, 0, IPC_RMID);
  return result;
}
sem_t semaphore;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

struct Waiter {
  std::uint64_t value, address;
  std::uint32_t flags, reserved;
} waiter{};
constexpr long kFutexWaitv = 449;
constexpr long kFutex2Size32 = 2;
constexpr long kFutexWait = 455;

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Case> cases{
      {"futex_wait", End::Wake, [] { return wait_on_word(FUTEX_WAIT, nullptr); }, wake_word},
      {"futex_wait_timeout", End::Timeout, [] { return wait_on_word(FUTEX_WAIT, &limit); }},
      {"futex_wait_bitset_abs", End::Timeout,
       [] {
         static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
         return wait_on_word(FUTEX_WAIT_BITSET, &moment);
       }},
      {"futex_waitv", End::Wake,
       [] {
         waiter = {0, reinterpret_cast<std::uint64_t>(&word), kFutex2Size32, 0};
         ready();
         return raw(kFutexWaitv, address(&waiter), 1, 0, 0, CLOCK_MONOTONIC);
       },
       wake_word},
      {"futex_waitv_timeout", End::Timeout,
       [] {
         waiter = {0, reinterpret_cast<std::uint64_t>(&word), kFutex2Size32, 0};
         ready();
         static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
         return raw(kFutexWaitv, address(&waiter), 1, 0, address(&moment), CLOCK_MONOTONIC);
       }},
      {"futex2_wait_timeout", End::Timeout,
       [] {
         ready();
         static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
         return raw(kFutexWait, address(&word), 0, 0xffffffffL, kFutex2Size32, address(&moment),
                    CLOCK_MONOTONIC);
       }},
      {"futex_lock_pi", End::Wake,
       [] {
         lock_elsewhere();
         ready();
         return raw(SYS_futex, address(&word), FUTEX_LOCK_PI);
       },
       unlock},
      {"futex_lock_pi2_timeout", End::Timeout,
       [] {
         lock_elsewhere();
         ready();
         static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
         return raw(SYS_futex, address(&word), FUTEX_LOCK_PI2, 0, address(&moment));
       }},
      {"futex_wait_requeue_pi_timeout", End::Timeout,
       [] {
         static std::uint32_t lock = 0;
         ready();
         static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
         return raw(SYS_futex, address(&word), FUTEX_WAIT_REQUEUE_PI, 0, address(&moment),
                    address(&lock));
       }},
      {"sem_timedwait", End::Timeout,
       [] {
         ready();
         static timespec moment = at(CLOCK_REALTIME, kTimeoutMs);
         return ::sem_timedwait(&semaphore, &moment) == 0 ? 0L : -errno;
       }},
      {"sem_wait", End::Wake, [] { return ready(), ::sem_wait(&semaphore) == 0 ? 0L : -errno; },
       [] { ::sem_post(&semaphore); }},
      {"pthread_cond_timedwait", End::Timeout,
       [] {
         ::pthread_mutex_lock(&mutex);
         ready();
         static timespec moment = at(CLOCK_REALTIME, kTimeoutMs);
         return static_cast<long>(-::pthread_cond_timedwait(&condition, &mutex, &moment));
       }},
      {"semop", End::Wake,
       [] { return make_set(), done_with_set(raw(SYS_semop, set, address(&take), 1)); }, post_set},
      {"semtimedop", End::Timeout,
       [] {
         make_set();
         return done_with_set(raw(SYS_semtimedop, set, address(&take), 1, address(&limit)));
       }},
      {"semtimedop_woken", End::Wake,
       [] {
         make_set();
         static timespec minute{60, 0};
         return done_with_set(raw(SYS_semtimedop, set, address(&take), 1, address(&minute)));
       },
       post_set},
  };
  return run(argc, argv, cases);
}

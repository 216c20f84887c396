// SPDX-License-Identifier: Apache-2.0
// Two threads that take turns, in an order that only the kernel knows, at adding to one number.
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

extern "C" {

volatile unsigned long total = 0;

__attribute__((noinline)) void turn(unsigned long round) { total = total + round; }

__attribute__((noinline)) void finished() { std::printf("%lu\n", total); }

}  // extern "C"

namespace {

std::mutex lock;
std::condition_variable changed;
unsigned long next_round = 0;

void take_turns(unsigned long first) {
  for (unsigned long round = first; round < 20; round += 2) {
    std::unique_lock held(lock);
    changed.wait(held, [round] { return next_round == round; });
    turn(round);
    next_round = round + 1;
    changed.notify_all();
  }
}

}  // namespace

int main() {
  std::thread other(take_turns, 1);
  take_turns(0);
  other.join();
  finished();
}

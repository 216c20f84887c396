// SPDX-License-Identifier: Apache-2.0
// Threads count in variables of their own, and log every count with the monotonic time: first the
// intent, then the variable, then the deed, so that a reader knows what it was at any moment.
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

namespace counting {

struct Tally {
  long count = 0;
  long square = 0;
};
std::array<Tally, 3> tallies;
thread_local long mine = 0;

long now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

void say(const char* word, std::size_t thread, long count) {
  char line[100];
  const int size =
      std::snprintf(line, sizeof line, "%s %zu %ld %ld\n", word, thread, count, now_us());
  [[maybe_unused]] const auto written =
      ::write(STDOUT_FILENO, line, static_cast<std::size_t>(size));
}

void count(std::size_t thread) {
  for (long local = 1;; ++local) {
    say("will", thread, local);
    tallies[thread].count = local;
    tallies[thread].square = local * local;
    mine = local * 1000 + static_cast<long>(thread);
    say("did", thread, local);
    timespec pause{0, 2'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace counting

int main() {
  for (std::size_t thread = 0; thread < counting::tallies.size(); ++thread)
    std::thread(counting::count, thread).detach();
  for (char byte; ::read(STDIN_FILENO, &byte, 1) > 0;) {
  }
  return 0;
}

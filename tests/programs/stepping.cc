// SPDX-License-Identifier: Apache-2.0
// Does its work in steps, for debuggers inside of a recorded tree.
#include <unistd.h>

#include <cstdio>

namespace {

long sum = 0;

[[gnu::noinline]] void step(long number) { sum += number * number; }

}  // namespace

int main() {
  for (long number = 1; number <= 100; ++number) {
    step(number);
    char line[64];
    const int size = std::snprintf(line, sizeof line, "%ld %ld\n", number, sum);
    if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(size)) != size) return 1;
    ::usleep(2000);
  }
  return 3;
}

// SPDX-License-Identifier: Apache-2.0
// Has global and static variables of many types and AVX-512 code that it never runs; changes some
// on command.
#include <immintrin.h>
#include <unistd.h>

#include <cstdio>
#include <string>

enum Colour { kRed, kGreen = 5 };

struct Point {
  int x;
  int y;
};

struct Record {
  Point position;
  const char* name;
  double weight;
  unsigned level : 3;
  unsigned flags : 5;
  Colour colour;
};

int counter = 41;
static long hidden = -7;
volatile bool ready = true;
char letter = 'x';
float ratio = 0.5F;
int numbers[4] = {1, 2, 3, 4};
char text[16] = "hello";
const char* message = "a message";
Record record = {{3, -4}, "home", 2.5, 6, 17, kGreen};
Point path[2] = {{1, 2}, {3, 4}};
int grid[2][3] = {{1, 2, 3}, {4, 5, 6}};
unsigned char raw[3] = {1, 2, 255};
union Either {
  int number;
  float real;
} either = {1};
thread_local int per_thread = 3;

namespace shop {
int stock = 100;
namespace {
short reserve = 12;
}
struct Till {
  static unsigned long total;
};
unsigned long Till::total = 1UL << 40;
bool operator<(Till, int right) { return Till::total < static_cast<unsigned long>(right); }
bool operator<(int left, Till) { return static_cast<unsigned long>(left) < Till::total; }
}  // namespace shop

extern "C" int plain_c_function(int value) {
  static int calls = 0;
  return value + ++calls;
}

__attribute__((target("avx512f,avx512bw"))) void add_wide(const float* a, float* b) {
  const __m512 sum = _mm512_add_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b));
  _mm512_mask_storeu_ps(b, 0x5555, sum);
}

int main() {
  ::write(STDOUT_FILENO, "READY\n", 6);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const std::string command(line);
    if (command == "count\n") counter = plain_c_function(counter);
    if (command == "stock\n") shop::stock += shop::reserve;
    if (command == "hide\n") hidden = counter + per_thread;
    if (command == "never\n" && __builtin_cpu_supports("avx512bw")) add_wide(nullptr, &ratio);
    ::write(STDOUT_FILENO, "DONE\n", 5);
  }
}

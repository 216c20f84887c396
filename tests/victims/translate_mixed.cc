// SPDX-License-Identifier: Apache-2.0
// Calls sched_yield(2) before and after some work of every kind of instruction: sorting, printing
// of numbers, string functions, x87, string instructions, exceptions, jumps of all sorts. With an
// argument it does so many rounds.
#include <fenv.h>
#include <sched.h>
#include <setjmp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

namespace {

volatile std::uint64_t sink = 0;

int compare(const void* one, const void* other) {
  const int a = *static_cast<const int*>(one);
  const int b = *static_cast<const int*>(other);
  return a < b ? -1 : (a > b ? 1 : 0);
}

void sort() {
  int values[24];
  unsigned seed = 1;
  for (int& value : values) value = static_cast<int>((seed = seed * 1103515245U + 12345U) >> 8U);
  std::qsort(values, 24, sizeof values[0], compare);
  sink = sink + static_cast<unsigned>(values[3]);
}

void print() {
  char text[200];
  std::snprintf(text, sizeof text, "%d %s %.6f %Lg %x", 42, "words", 3.14159, 2.5L, 255);
  sink = sink + std::strlen(text) + static_cast<unsigned char>(text[8]);
}

void copy_strings() {
  static char from[700];
  static char to[700];
  std::memset(from, 'x', sizeof from - 1);
  from[600] = 'y';
  std::memcpy(to, from, sizeof to);
  std::memmove(to + 3, to, 300);
  sink = sink + static_cast<std::uint64_t>(std::strchr(to, 'y') - to) +
         static_cast<unsigned>(std::memcmp(from, to, sizeof to) != 0);
}

void float_x87() {
  long double sum = 0;
  for (int i = 1; i < 6; ++i) sum += 1.0L / i;
  fenv_t environment;
  fegetenv(&environment);
  fesetenv(&environment);
  sink = sink + static_cast<std::uint64_t>(sum * 1000) +
         static_cast<std::uint64_t>(std::sin(0.5) * 100);
}

/// Instructions that compilers rarely write.
void rare() {
  static char from[256];
  static char to[256];
  void* source = from;
  void* destination = to;
  std::uint64_t count = 200;
  asm volatile("rep movsb" : "+S"(source), "+D"(destination), "+c"(count) : : "memory");
  destination = to;
  count = 256;
  asm volatile("mov $1, %%al; repne scasb"
               : "+D"(destination), "+c"(count)
               :
               : "rax", "memory", "cc");
  std::uint64_t total = 0;
  asm volatile(
      "mov $7, %%ecx\n1: add %%rcx, %0\nloop 1b\n"
      "jrcxz 2f\nadd $1000, %0\n2:\n"
      "lea 4f(%%rip), %%rax\nsub $128, %%rsp\npush %%rax\ncall *(%%rsp)\n"
      "lea 5f(%%rip), %%rax\npush $9\npush $9\ncall *%%rax\n"
      "lea 6f(%%rip), %%rcx\njmp *%%rcx\n"
      "4: add $5, %0\nret\n"
      "5: add $6, %0\nret $16\n"
      "6: add $8, %%rsp\nsub $-128, %%rsp\n"
      : "+r"(total)
      :
      : "rax", "rcx", "cc", "memory");
  // Flags that live across a transfer, among them CF and OF.
  asm volatile(
      "mov $0x7fffffff, %%eax\nadd $1, %%eax\njmp 1f\n1: seto %%al\nsetc %%cl\n"
      "stc\njmp 2f\n2: adc $0, %0\n"
      "cmp $3, %%eax\njmp 3f\n3: jbe 4f\nadd $1, %0\n4:\n"
      : "+r"(total)
      :
      : "rax", "rcx", "cc");
  sink = sink + total + count;
}

struct Shape {
  virtual ~Shape() = default;
  virtual int corners() const { return 0; }
};
struct Square : Shape {
  int corners() const override { return 4; }
};

void objects() {
  std::map<std::string, int> words;
  for (int i = 0; i < 6; ++i) words["word" + std::to_string(i % 4)] += i;
  const Square square;
  const Shape* shape = &square;
  int thrown = 0;
  try {
    if (shape->corners() == 4) throw std::runtime_error("four");
  } catch (const std::exception& error) {
    thrown = static_cast<int>(std::strlen(error.what()));
  }
  jmp_buf back;
  volatile int again = 0;
  if (setjmp(back) < 2) {
    again = again + 1;
    longjmp(back, again);
  }
  sink = sink + static_cast<unsigned>(words["word1"] + thrown + again);
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 1;
  sched_yield();
  for (int i = 0; i < rounds; ++i) {
    rare();
    sort();
    copy_strings();
    float_x87();
    print();
    objects();
  }
  sched_yield();
  std::printf("%lu\n", static_cast<unsigned long>(sink));
}

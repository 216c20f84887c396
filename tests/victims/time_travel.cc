// SPDX-License-Identifier: Apache-2.0
// Somewhere to go back to: string functions, printf and malloc, a loop of some ten million
// instructions that changes a counter, a heap block written past its end by somebody else's code.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {

unsigned long counter = 0;
unsigned long* victim_word = nullptr;

__attribute__((noinline)) void tick(unsigned long round) {
  if (round % 8 == 0) counter = counter + 1;
}

__attribute__((noinline)) void count(unsigned long rounds) {
  for (unsigned long round = 0; round < rounds; ++round) tick(round);
}

__attribute__((noinline)) void fill(char* block, std::size_t size) {
  for (std::size_t i = 0; i <= size; ++i) block[i] = 'x';
}

__attribute__((noinline)) void counted() { std::printf("counted %lu\n", counter); }

__attribute__((noinline)) void smash() {
  struct {
    char block[24];
    unsigned long word;
  }* heap = static_cast<decltype(heap)>(std::malloc(sizeof *heap));
  heap->word = 0x1122334455667700;
  victim_word = &heap->word;
  fill(heap->block, sizeof heap->block);
}

__attribute__((noinline)) void strings() {
  char text[300];
  for (int i = 0; i < 5; ++i) {
    std::snprintf(text, sizeof text, "%d: %s %.3f %p", i, "a string that is long enough for AVX",
                  i / 7.0, static_cast<void*>(text));
    const std::string copy(text);
    std::printf("%s %zu %d\n", copy.c_str(), std::strlen(text),
                std::memcmp(copy.data(), text, copy.size()));
    if (std::strchr(text, ':') == nullptr || std::strstr(copy.c_str(), "AVX") == nullptr) return;
  }
}

__attribute__((noinline)) void finish() { std::fflush(stdout); }

}  // extern "C"

int main(int arguments, char** values) {
  strings();
  count(arguments > 1 ? std::strtoul(values[1], nullptr, 10) : 1000);
  counted();
  smash();
  finish();
}

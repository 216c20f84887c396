// SPDX-License-Identifier: Apache-2.0
// Threads that compute with all kinds of registers and never leave them: x87, SSE control, AVX,
// AVX-512 where there is, flags; they see at once when one changes.
#include <immintrin.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "revive_case.h"

namespace {

std::atomic<int> stop{0};
std::atomic<int> spinning{0};
std::atomic<int> bad_vector{0};
std::atomic<int> bad_x87{0};
std::atomic<int> bad_control{0};

__attribute__((target("avx2"))) void* spin_avx(void*) {
  alignas(32) std::array<std::uint64_t, 4> seed{1, 2, 3, 4};
  alignas(32) std::array<std::uint64_t, 4> seen{};
  __m256i value = _mm256_load_si256(reinterpret_cast<const __m256i*>(seed.data()));
  ++spinning;
  while (stop == 0) {
    for (int i = 0; i < 1000; ++i) asm volatile("" : "+x"(value));
    _mm256_store_si256(reinterpret_cast<__m256i*>(seen.data()), value);
    if (seen != seed) ++bad_vector;
  }
  return nullptr;
}

__attribute__((target("avx512f"))) void* spin_avx512(void*) {
  alignas(64) std::array<std::uint64_t, 8> seed{11, 12, 13, 14, 15, 16, 17, 18};
  alignas(64) std::array<std::uint64_t, 8> seen{};
  ++spinning;
  while (stop == 0) {
    std::uint32_t mask = 0;
    asm volatile(
        "vmovdqa64 (%1), %%zmm17\n"
        "movl $0xa5a5, %%eax\n"
        "kmovw %%eax, %%k3\n"
        "movl $100000, %%ecx\n"
        "1: decl %%ecx\n"
        "jnz 1b\n"
        "vmovdqa64 %%zmm17, (%2)\n"
        "kmovw %%k3, %0\n"
        : "=r"(mask)
        : "r"(seed.data()), "r"(seen.data())
        : "rax", "rcx", "xmm17", "k3", "memory");
    if (seen != seed || mask != 0xa5a5) ++bad_vector;
  }
  return nullptr;
}

void* spin_x87(void*) {
  ++spinning;
  while (stop == 0) {
    long double result = 0;
    asm volatile(
        "fldpi\n"
        "movl $100000, %%ecx\n"
        "1: decl %%ecx\n"
        "jnz 1b\n"
        "fstpt %0\n"
        : "=m"(result)
        :
        : "rcx", "st");
    long double pi = 0;
    asm volatile("fldpi\nfstpt %0" : "=m"(pi));
    if (std::memcmp(&result, &pi, 10) != 0) ++bad_x87;
  }
  return nullptr;
}

void* spin_control(void*) {
  constexpr unsigned kRoundUp = 0x5f80;
  constexpr unsigned short kPrecision = 0x027f;
  _mm_setcsr(kRoundUp);
  asm volatile("fldcw %0" : : "m"(kPrecision));
  ++spinning;
  while (stop == 0) {
    unsigned short word = 0;
    asm volatile("fnstcw %0" : "=m"(word));
    if ((_mm_getcsr() & ~0x3fU) != (kRoundUp & ~0x3fU) || word != kPrecision) ++bad_control;
  }
  return nullptr;
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  std::array<pthread_t, 4> threads{};
  std::size_t count = 0;
  pthread_create(&threads[count++], nullptr, spin_x87, nullptr);
  pthread_create(&threads[count++], nullptr, spin_control, nullptr);
  if (__builtin_cpu_supports("avx2")) pthread_create(&threads[count++], nullptr, spin_avx, nullptr);
  if (__builtin_cpu_supports("avx512f")) {
    pthread_create(&threads[count++], nullptr, spin_avx512, nullptr);
  }
  while (spinning < static_cast<int>(count)) ::usleep(1000);
  revive::ready();
  revive::wait_for_go();
  ::usleep(50000);
  stop = 1;
  for (std::size_t i = 0; i < count; ++i) pthread_join(threads[i], nullptr);
  revive::expect_equal("wrong vector registers", bad_vector.load(), 0);
  revive::expect_equal("wrong x87 registers", bad_x87.load(), 0);
  revive::expect_equal("wrong control words", bad_control.load(), 0);
  revive::finish();
}

// SPDX-License-Identifier: Apache-2.0
// A thread that is always inside a restartable sequence (rseq), one that never ends by itself: the
// kernel must abort it whenever the thread was stopped or lost its CPU, however it came back.
#include <sched.h>
#include <sys/rseq.h>

#include <cstdint>
#include <thread>

#include "revive_case.h"

namespace {

volatile std::uint64_t aborts = 0;
volatile std::uint64_t turns = 0;

[[noreturn]] void stay_in_sequences() {
  auto* const own = reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                                   __rseq_offset);
  for (;;) {
    asm volatile(
        ".pushsection sequences, \"aw\"\n"
        ".balign 32\n"
        "77: .long 0, 0\n"
        ".quad 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "leaq 77b(%%rip), %%rax\n"
        "movq %%rax, %[sequence]\n"
        "1: incq %[turns]\n"
        "jmp 1b\n"
        "2: .byte 0x0f, 0xb9, 0x3d\n"  // an instruction that is not one, and the signature
        ".long 0x53053053\n"
        "4: incq %[aborts]\n"
        : [sequence] "=m"(own->rseq_cs), [turns] "+m"(turns), [aborts] "+m"(aborts)
        :
        : "rax", "memory", "cc");
  }
}

/// Whether the thread runs, and is aborted when this one takes its CPU.
bool is_aborted() {
  const std::uint64_t aborts_before = aborts;
  const std::uint64_t turns_before = turns;
  for (int i = 0; i < 500; ++i) {
    ::usleep(2000);
    if (aborts > aborts_before + 2 && turns > turns_before) return true;
  }
  return false;
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(0, &cpus);
  ::sched_setaffinity(0, sizeof cpus, &cpus);
  std::thread(stay_in_sequences).detach();
  if (!is_aborted()) return 2;
  revive::ready();
  // It is the recorder, too, that must not break it.
  while (!revive::told_to_go()) {
    if (!is_aborted()) revive::differs("while it was recorded: no aborts any more");
    if (!revive::differences.empty()) break;
  }
  if (!is_aborted()) revive::differs("no aborts any more");
  revive::finish();
}

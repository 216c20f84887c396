// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/proc_fuzz.cc"

#include "tests/support/fuzz_corpus.h"

TEST(ProcFuzz, SoundAndDamagedTextsDoNoHarm) {
  icecore::test::replay_corpus("proc", LLVMFuzzerTestOneInput, 1000);
}

// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/pack_reader_fuzz.cc"

#include "tests/support/fuzz_corpus.h"

TEST(PackReaderFuzz, SoundAndDamagedPacksDoNoHarm) {
  icecore::test::replay_corpus("pack_reader", LLVMFuzzerTestOneInput, 2000);
}

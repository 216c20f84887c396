// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/packet_fuzz.cc"

#include "tests/support/fuzz_corpus.h"

TEST(PacketFuzz, SoundAndDamagedPacketsDoNoHarm) {
  icecore::test::replay_corpus("packet", LLVMFuzzerTestOneInput, 300);
}

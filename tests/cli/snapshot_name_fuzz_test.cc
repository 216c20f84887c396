// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/snapshot_name_fuzz.cc"

#include "tests/support/fuzz_corpus.h"

TEST(SnapshotNameFuzz, SoundAndDamagedNamesDoNoHarm) {
  icecore::test::replay_corpus("snapshot_name", LLVMFuzzerTestOneInput, 5000);
}

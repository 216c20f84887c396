// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/host_path_fuzz.cc"
#include "tests/support/fuzz_corpus.h"

TEST(HostPathFuzz, SoundAndDamagedPathsLeadNowhereElse) {
  icecore::test::replay_corpus("host_path", LLVMFuzzerTestOneInput, 5000);
}

TEST(HostPath, KnowsWhatDebuggersAskFor) {
  using namespace icecore::replay;
  EXPECT_EQ(parse_proc_path("/proc/12/task/13/maps")->tid, 13);
  EXPECT_EQ(parse_proc_path("/proc/12/auxv")->pid, 12);
  EXPECT_FALSE(parse_proc_path("/proc/12/.."));
  EXPECT_FALSE(parse_proc_path("/proc/12/task/13/../../maps"));
  EXPECT_TRUE(is_for_debuggers("/usr/lib/debug/.build-id/ab/cdef.debug"));
  EXPECT_FALSE(is_for_debuggers("/usr/lib/debug/../../../etc/shadow"));
  EXPECT_FALSE(is_for_debuggers("/etc/shadow"));
}

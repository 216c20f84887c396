// SPDX-License-Identifier: Apache-2.0
// The same file that clang's fuzzer is linked with; here its corpus is replayed. There is another
// such file in this program, so the entry gets a name of its own.
#define LLVMFuzzerTestOneInput evaluate_agent_expression
#include "tests/fuzz/agent_expression_fuzz.cc"
#undef LLVMFuzzerTestOneInput

#include "tests/support/fuzz_corpus.h"

TEST(AgentExpressionFuzz, SoundAndDamagedExpressionsEnd) {
  icecore::test::replay_corpus("agent_expression", evaluate_agent_expression, 300);
}

// SPDX-License-Identifier: Apache-2.0
// Agent expressions, over a fake target: whatever the bytes are, one run ends, and reads nothing
// that is not there.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "gdbstub/agent_expression.h"
#include "tests/gdbstub/fake_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::gdbstub;
  static FakeTarget target;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const AgentExpression expression(std::vector<std::byte>(bytes, bytes + size));
  try {
    const auto outcome = expression.evaluate(target, {10, 10});
    if (outcome.printed.size() > (1U << 17U)) std::abort();
  } catch (const AgentExpressionError&) {
    // The one way to refuse.
  }
  return 0;
}

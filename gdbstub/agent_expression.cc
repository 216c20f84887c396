// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/agent_expression.h"

#include "gdbstub/agent_machine.h"

namespace icecore::gdbstub {

AgentExpression::Outcome AgentExpression::evaluate(Target& target, ThreadId thread) const {
  try {
    return AgentMachine(bytecode_, target, thread).run();
  } catch (const AgentExpressionError&) {
    throw;
  } catch (const Error& error) {
    throw AgentExpressionError(error.what());
  }
}

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/breakpoint_orders.h"

#include <algorithm>

#include "base/log.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/reply.h"

namespace icecore::gdbstub {
namespace {

/// "XLENGTH,BYTES" from the front. A ';' may or may not stand between two of them.
AgentExpression take_expression(PacketFields& fields) {
  const std::uint64_t length = fields.number(',');
  const std::string_view rest = fields.rest();
  if (length > rest.size() / 2) throw MalformedPacket("an expression is cut off");
  auto bytes = from_hex(rest.substr(0, length * 2));
  if (!bytes) throw MalformedPacket("not pairs of hex digits");
  fields = PacketFields(rest.substr(length * 2));
  return AgentExpression(*std::move(bytes));
}

std::vector<AgentExpression> take_expressions(PacketFields& fields) {
  std::vector<AgentExpression> expressions;
  while (true) {
    std::string_view rest = fields.rest();
    while (rest.starts_with(';')) rest.remove_prefix(1);
    const bool is_expression = rest.starts_with('X');
    if (is_expression) rest.remove_prefix(1);
    fields = PacketFields(rest);
    if (!is_expression) return expressions;
    expressions.push_back(take_expression(fields));
  }
}

}  // namespace

bool BreakpointOrders::condition_holds(Target& target, ThreadId thread) const {
  return conditions_.empty() || std::ranges::any_of(conditions_, [&](const auto& condition) {
           return condition.evaluate(target, thread).value != 0;
         });
}

bool BreakpointOrders::asks_for_stop(Target& target, ThreadId thread) const {
  try {
    if (!condition_holds(target, thread)) return false;
    if (commands_.empty()) return true;
    std::string printed;
    for (const auto& command : commands_) printed += command.evaluate(target, thread).printed;
    const auto console = console_.lock();
    if (console && !printed.empty()) (*console)(printed);
    return false;
  } catch (const std::exception& error) {
    // gdb evaluates the condition itself when it is told of a stop, and says what is wrong with it.
    log(Topic::Gdbstub, std::string("condition of a breakpoint: ") + error.what());
    return true;
  }
}

std::shared_ptr<const StopCondition> parse_breakpoint_orders(std::string_view text,
                                                             BorrowedConsole console) {
  constexpr std::string_view kCommands = "cmds:";
  PacketFields fields(text);
  auto conditions = take_expressions(fields);
  std::vector<AgentExpression> commands;
  if (fields.rest().starts_with(kCommands)) {
    fields = PacketFields(fields.rest().substr(kCommands.size()));
    fields.number(',');  // whether they shall go on once the client is gone: they never do
    commands = take_expressions(fields);
  }
  if (!fields.empty()) throw MalformedPacket("neither a condition nor a command");
  if (conditions.empty() && commands.empty()) return nullptr;
  return std::make_shared<BreakpointOrders>(std::move(conditions), std::move(commands),
                                            std::move(console));
}

}  // namespace icecore::gdbstub

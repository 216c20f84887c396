// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gdbstub/agent_expression.h"
#include "gdbstub/target/stop_condition.h"

namespace icecore::gdbstub {

/// Takes text for the client's console, while the target runs.
using ConsoleSink = std::function<void(const std::string&)>;
/// Breakpoints may outlive the client that set them; then what they print is lost.
using BorrowedConsole = std::weak_ptr<const ConsoleSink>;

/// What a Z packet says behind address and kind: conditions, one of which must hold, and commands
/// (dprintf), which run at each such hit instead of a stop.
class BreakpointOrders : public StopCondition {
 public:
  BreakpointOrders(std::vector<AgentExpression> conditions, std::vector<AgentExpression> commands,
                   BorrowedConsole console)
      : conditions_(std::move(conditions)),
        commands_(std::move(commands)),
        console_(std::move(console)) {}
  [[nodiscard]] bool asks_for_stop(Target& target, ThreadId thread) const override;

 private:
  [[nodiscard]] bool condition_holds(Target& target, ThreadId thread) const;

  std::vector<AgentExpression> conditions_;
  std::vector<AgentExpression> commands_;
  BorrowedConsole console_;
};

/// Parses "X3,220127;X...;cmds:0,X5,...". Null when there is nothing in it. Throws MalformedPacket.
[[nodiscard]] std::shared_ptr<const StopCondition> parse_breakpoint_orders(std::string_view text,
                                                                           BorrowedConsole console);

}  // namespace icecore::gdbstub

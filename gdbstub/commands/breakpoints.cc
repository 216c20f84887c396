// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/breakpoints.h"

#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"

namespace icecore::gdbstub::commands {
namespace {

/// "TYPE,ADDRESS,KIND" from the front of `fields`.
Breakpoint take_breakpoint(const Context& context, PacketFields& fields) {
  const std::uint64_t kind = fields.number(',');
  if (kind > 4) throw MalformedPacket("no kind of breakpoint");
  Breakpoint breakpoint;
  breakpoint.kind = static_cast<Breakpoint::Kind>(kind);
  breakpoint.pid = context.state.general.pid;
  breakpoint.address = fields.number(',');
  breakpoint.size = fields.number(';');
  return breakpoint;
}

/// Console output is part of the answer to a resume, which there is in all-stop mode only.
std::shared_ptr<const StopCondition> parse_orders(const Context& context, std::string_view text) {
  if (context.state.non_stop && text.find("cmds:") != std::string_view::npos) {
    throw Error("printing at breakpoints needs all-stop mode: set dprintf-style gdb");
  }
  return parse_breakpoint_orders(text, context.state.console);
}

}  // namespace

Reply insert_breakpoint(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Breakpoint breakpoint = take_breakpoint(context, fields);
  Breakpoints& breakpoints = *context.target.breakpoints();
  if (!breakpoints.supports(breakpoint.kind)) return Reply::unsupported();
  auto orders = parse_orders(context, fields.rest());
  if (orders == nullptr) {
    breakpoints.insert(breakpoint);
  } else {
    breakpoints.insert_conditional(breakpoint, std::move(orders));
  }
  return Reply::ok();
}

Reply remove_breakpoint(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Breakpoint breakpoint = take_breakpoint(context, fields);
  Breakpoints& breakpoints = *context.target.breakpoints();
  if (!breakpoints.supports(breakpoint.kind)) return Reply::unsupported();
  breakpoints.remove(breakpoint);
  return Reply::ok();
}

Reply watchpoint_support(Context& context, std::string_view) {
  return Reply::packet("num:" + std::to_string(context.target.breakpoints()->watchpoint_count()) +
                       ";");
}

}  // namespace icecore::gdbstub::commands

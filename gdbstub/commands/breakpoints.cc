// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/breakpoints.h"

#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"

namespace icecore::gdbstub::commands {
namespace {

/// "TYPE,ADDRESS,KIND", and for Z conditions and commands behind a ';', which no target takes yet.
Breakpoint parse_breakpoint(const Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::uint64_t kind = fields.number(',');
  if (kind > 4) throw MalformedPacket("no kind of breakpoint");
  Breakpoint breakpoint;
  breakpoint.kind = static_cast<Breakpoint::Kind>(kind);
  breakpoint.pid = context.state.general.pid;
  breakpoint.address = fields.number(',');
  breakpoint.size = fields.number(';');
  return breakpoint;
}

}  // namespace

Reply insert_breakpoint(Context& context, std::string_view arguments) {
  const Breakpoint breakpoint = parse_breakpoint(context, arguments);
  Breakpoints& breakpoints = *context.target.breakpoints();
  if (!breakpoints.supports(breakpoint.kind)) return Reply::unsupported();
  breakpoints.insert(breakpoint);
  return Reply::ok();
}

Reply remove_breakpoint(Context& context, std::string_view arguments) {
  const Breakpoint breakpoint = parse_breakpoint(context, arguments);
  Breakpoints& breakpoints = *context.target.breakpoints();
  if (!breakpoints.supports(breakpoint.kind)) return Reply::unsupported();
  breakpoints.remove(breakpoint);
  return Reply::ok();
}

// Watchpoints are not in debug registers here, so there is no small number of them.
Reply watchpoint_support(Context&, std::string_view) { return Reply::packet("num:1024;"); }

}  // namespace icecore::gdbstub::commands

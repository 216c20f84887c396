// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gdbstub/command_table.h"
#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/stop_reply.h"
#include "gdbstub/target/attaching.h"

namespace icecore::gdbstub::commands {
namespace {

std::int32_t parse_pid(std::string_view text) {
  PacketFields fields(text);
  const std::uint64_t pid = fields.last_number();
  if (pid > 0x7fffffff) throw MalformedPacket("no process id");
  return static_cast<std::int32_t>(pid);
}

/// Forgets a process for this client; the session ends with the last one.
void let_go(Context& context, std::int32_t pid, SessionState::Ending ending) {
  std::erase(context.state.processes, pid);
  if (context.state.processes.empty()) context.state.ending = ending;
}

}  // namespace

Reply supported(Context& context, std::string_view arguments) {
  SessionState& state = context.state;
  const auto offers = [&](std::string_view feature) {
    return arguments.find(feature) != std::string_view::npos;
  };
  if (offers("xmlRegisters=i386,arm,mips")) state.client = SessionState::Client::Lldb;
  state.multiprocess = offers("multiprocess+");
  state.software_breakpoints = offers("swbreak+");
  state.hardware_breakpoints = offers("hwbreak+");
  return Reply::packet(supported_features(context.target));
}

Reply start_no_ack_mode(Context& context, std::string_view) {
  context.state.stop_acknowledging = true;
  return Reply::ok();
}

Reply extended_mode(Context&, std::string_view) { return Reply::ok(); }

Reply non_stop(Context&, std::string_view arguments) {
  if (arguments == "0") return Reply::ok();
  throw Error("this target is all-stop only: set non-stop off");
}

Reply enable_error_strings(Context& context, std::string_view) {
  context.state.error_strings = true;
  return Reply::ok();
}

// "1" makes gdb detach, not kill, when it quits.
Reply attached(Context&, std::string_view) { return Reply::packet("1"); }

Reply symbol_offer(Context&, std::string_view) { return Reply::ok(); }

Reply detach(Context& context, std::string_view arguments) {
  if (!arguments.empty() && !arguments.starts_with(';')) throw MalformedPacket("D;PID");
  const std::int32_t pid =
      arguments.empty() ? context.state.general.pid : parse_pid(arguments.substr(1));
  context.target.detach(pid);
  let_go(context, pid, SessionState::Ending::Detached);
  return Reply::ok();
}

Reply kill(Context& context, std::string_view) {
  context.target.kill(context.state.general.pid);
  context.state.ending = SessionState::Ending::Killed;
  return Reply::nothing();
}

Reply kill_process(Context& context, std::string_view arguments) {
  const std::int32_t pid = parse_pid(arguments);
  context.target.kill(pid);
  let_go(context, pid, SessionState::Ending::Killed);
  return Reply::ok();
}

Reply attach(Context& context, std::string_view arguments) {
  const std::int32_t pid = parse_pid(arguments);
  const StopEvent event = context.target.attaching()->attach(pid);
  if (context.state.client == SessionState::Client::Lldb) context.state.processes.clear();
  std::erase(context.state.processes, pid);
  context.state.processes.push_back(pid);
  context.state.general = event.thread;
  return Reply::packet(stop_reply(context, event));
}

}  // namespace icecore::gdbstub::commands

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gdbstub/command_table.h"
#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/target/event_choice.h"
#include "gdbstub/target/process_facts.h"

namespace icecore::gdbstub::commands {
namespace {

std::int32_t parse_pid(std::string_view text) {
  PacketFields fields(text);
  const std::uint64_t pid = fields.last_number();
  if (pid > 0x7fffffff) throw MalformedPacket("no process id");
  return static_cast<std::int32_t>(pid);
}

/// Forgets a process for this client; the session ends with the last one, unless the client is to
/// choose the next process itself.
void let_go(Context& context, const SessionNews& what, SessionState::Ending ending) {
  context.state.forget(what);
  if (context.state.processes.empty() && !context.state.extended) context.state.ending = ending;
}

void choose_events(const Context& context) {
  if (EventChoice* choice = context.target.event_choice())
    choice->want(context.state.wanted_events);
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
  state.wanted_events = {.forks = offers("fork-events+") && state.multiprocess,
                         .vforks = offers("vfork-events+") && state.multiprocess,
                         .execs = offers("exec-events+")};
  choose_events(context);
  return Reply::packet(supported_features(context.target));
}

Reply start_no_ack_mode(Context& context, std::string_view) {
  context.state.stop_acknowledging = true;
  return Reply::ok();
}

Reply extended_mode(Context& context, std::string_view) {
  context.state.extended = true;
  return Reply::ok();
}

Reply thread_events(Context& context, std::string_view arguments) {
  context.state.wanted_events.threads = arguments == "1";
  choose_events(context);
  return Reply::ok();
}

Reply enable_error_strings(Context& context, std::string_view) {
  context.state.error_strings = true;
  return Reply::ok();
}

// "1" makes gdb detach, not kill, when it quits.
Reply attached(Context& context, std::string_view arguments) {
  const std::int32_t pid =
      arguments.starts_with(':') ? parse_pid(arguments.substr(1)) : context.state.general.pid;
  ProcessFacts* facts = context.target.process_facts();
  const bool created = facts != nullptr && facts->origin(pid) == ProcessFacts::Origin::Created;
  return Reply::packet(created ? "0" : "1");
}

Reply symbol_offer(Context&, std::string_view) { return Reply::ok(); }

// lldb's "D1", which leaves the process stopped, is for gdbs and lldbs that take over at once; a
// process that nobody holds cannot stand still.
Reply detach(Context& context, std::string_view arguments) {
  if (!arguments.empty() && !arguments.starts_with(';')) throw MalformedPacket("D;PID");
  const std::int32_t pid =
      arguments.empty() ? context.state.general.pid : parse_pid(arguments.substr(1));
  context.target.detach(pid);
  let_go(context, {SessionNews::Kind::Detached, pid}, SessionState::Ending::Detached);
  return Reply::ok();
}

Reply kill(Context& context, std::string_view) {
  const std::vector<std::int32_t> processes = context.state.processes;
  for (const std::int32_t pid : processes) {
    context.target.kill(pid);
    context.state.forget({SessionNews::Kind::Killed, pid});
  }
  context.state.ending = SessionState::Ending::Killed;
  return Reply::nothing();
}

Reply kill_process(Context& context, std::string_view arguments) {
  const std::int32_t pid = parse_pid(arguments);
  context.target.kill(pid);
  let_go(context, {SessionNews::Kind::Killed, pid}, SessionState::Ending::Killed);
  return Reply::ok();
}

}  // namespace icecore::gdbstub::commands

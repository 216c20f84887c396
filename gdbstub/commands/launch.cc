// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/stop_reply.h"
#include "gdbstub/target/attaching.h"
#include "gdbstub/target/execution.h"
#include "gdbstub/target/launching.h"

namespace icecore::gdbstub::commands {
namespace {

std::string text_from_hex(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes) throw MalformedPacket("not pairs of hex digits");
  std::string text = as_text(*bytes);
  if (text.find('\0') != std::string::npos) throw MalformedPacket("a text with a zero in it");
  return text;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void drop_variable(LaunchRequest& launch, std::string_view name) {
  std::erase_if(launch.set, [&](const std::string& one) { return name_of(one) == name; });
  std::erase(launch.unset, name);
}

Reply set_variable(Context& context, std::string variable) {
  const std::string_view name = name_of(variable);
  if (name.empty() || name.size() == variable.size()) throw MalformedPacket("NAME=VALUE");
  drop_variable(context.state.launch, name);
  context.state.launch.set.push_back(std::move(variable));
  return Reply::ok();
}

/// What a process that is new to this client means to it.
void take_process(Context& context, const StopEvent& event, SessionNews::Kind kind) {
  if (context.state.client == SessionState::Client::Lldb) context.state.processes.clear();
  context.state.show(event.thread);
  context.state.transfer_name.clear();
  const bool launched = kind == SessionNews::Kind::Launched;
  context.state.report(
      {kind, event.thread.pid, 0, launched ? context.state.launch.program : std::string()});
}

StopEvent launch(Context& context, std::string program, std::vector<std::string> arguments) {
  LaunchRequest& request = context.state.launch;
  request.program = std::move(program);
  request.arguments = std::move(arguments);
  StopEvent event = context.target.launching()->launch(request);
  take_process(context, event, SessionNews::Kind::Launched);
  return event;
}

/// Attaching stops every thread. In non-stop mode the client is told of one stop and takes the
/// other threads for running, so they shall.
void let_others_run(const Context& context, ThreadId stopped) {
  std::vector<ResumeAction> actions;
  for (const ThreadDescription& thread : context.target.threads()) {
    if (thread.id.pid != stopped.pid || thread.id == stopped) continue;
    actions.push_back({.threads = {thread.id.pid, thread.id.tid}});
  }
  if (!actions.empty()) context.target.execution()->resume(actions);
}

bool is_one(std::string_view arguments) {
  if (arguments != "0" && arguments != "1") throw MalformedPacket("0 or 1");
  return arguments == "1";
}

}  // namespace

Reply run_program(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  std::string program = text_from_hex(fields.field(';'));
  std::vector<std::string> words;
  // The last argument may be an empty one, of which only the ';' before it is seen.
  bool more = arguments.find(';') != std::string_view::npos;
  while (more) {
    more = fields.rest().find(';') != std::string_view::npos;
    words.push_back(text_from_hex(fields.field(';')));
  }
  return Reply::packet(stop_reply(context, launch(context, std::move(program), std::move(words))));
}

/// "LENGTH,INDEX,HEX,LENGTH,INDEX,HEX..." (decimal numbers), the program first.
Reply launch_arguments(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  std::vector<std::string> words;
  while (!fields.empty()) {
    fields.field(',');
    fields.field(',');
    words.push_back(text_from_hex(fields.field(',')));
  }
  if (words.empty()) throw MalformedPacket("no program");
  std::string program = std::move(words.front());
  words.erase(words.begin());
  launch(context, std::move(program), std::move(words));
  return Reply::ok();
}

Reply launch_success(Context& context, std::string_view) {
  if (context.state.processes.empty()) throw Error("nothing was launched");
  return Reply::ok();
}

Reply restart(Context& context, std::string_view) {
  const std::vector<std::int32_t> processes = context.state.processes;
  for (const std::int32_t pid : processes) {
    context.target.kill(pid);
    context.state.forget({SessionNews::Kind::Killed, pid});
  }
  launch(context, context.state.launch.program, context.state.launch.arguments);
  return Reply::nothing();
}

Reply attach(Context& context, std::string_view arguments) {
  const std::uint64_t pid = PacketFields(arguments).last_number();
  if (pid > 0x7fffffff) throw MalformedPacket("no process id");
  const StopEvent event = context.target.attaching()->attach(static_cast<std::int32_t>(pid));
  take_process(context, event, SessionNews::Kind::Attached);
  if (!context.state.non_stop) return Reply::packet(stop_reply(context, event));
  let_others_run(context, event.thread);
  context.state.notifications.add(event);
  return Reply::ok();
}

Reply set_environment_hex(Context& context, std::string_view arguments) {
  return set_variable(context, text_from_hex(arguments));
}

Reply set_environment(Context& context, std::string_view arguments) {
  return set_variable(context, std::string(arguments));
}

Reply unset_environment(Context& context, std::string_view arguments) {
  std::string name = text_from_hex(arguments);
  if (name.empty() || name.find('=') != std::string::npos) throw MalformedPacket("no name");
  drop_variable(context.state.launch, name);
  context.state.launch.unset.push_back(std::move(name));
  return Reply::ok();
}

Reply reset_environment(Context& context, std::string_view) {
  context.state.launch.set.clear();
  context.state.launch.unset.clear();
  return Reply::ok();
}

Reply set_working_directory(Context& context, std::string_view arguments) {
  context.state.launch.working_directory = text_from_hex(arguments);
  return Reply::ok();
}

Reply startup_with_shell(Context& context, std::string_view arguments) {
  context.state.launch.startup =
      is_one(arguments) ? LaunchRequest::Startup::WithShell : LaunchRequest::Startup::Direct;
  return Reply::ok();
}

Reply disable_randomization(Context& context, std::string_view arguments) {
  context.state.launch.address_space = is_one(arguments) ? LaunchRequest::AddressSpace::Fixed
                                                         : LaunchRequest::AddressSpace::Randomized;
  return Reply::ok();
}

}  // namespace icecore::gdbstub::commands

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/signal_numbers.h"
#include "gdbstub/stop_reply.h"
#include "gdbstub/target/execution.h"

namespace icecore::gdbstub::commands {
namespace {

int linux_signal(const Context& context, std::uint64_t wire) {
  if (wire > 255) throw MalformedPacket("no signal number");
  const int signal = static_cast<int>(wire);
  return context.state.client == SessionState::Client::Lldb ? signal : gdb_to_linux_signal(signal);
}

/// The letters before ':' in one action: "c", "C05", "rSTART,END".
ResumeAction parse_action(const Context& context, std::string_view text) {
  if (text.empty()) throw MalformedPacket("an empty vCont action");
  ResumeAction action;
  PacketFields fields(text.substr(1));
  switch (text.front()) {
    case 'C':
      action.signal = linux_signal(context, fields.last_number());
      break;
    case 'c':
      break;
    case 'S':
      action.kind = ResumeAction::Kind::Step;
      action.signal = linux_signal(context, fields.last_number());
      break;
    case 's':
      action.kind = ResumeAction::Kind::Step;
      break;
    case 't':
      action.kind = ResumeAction::Kind::Stop;
      break;
    case 'r':
      action.kind = ResumeAction::Kind::StepRange;
      action.range_start = fields.number(',');
      action.range_end = fields.number('\0');
      break;
    default:
      throw MalformedPacket("an unknown vCont action");
  }
  return action;
}

std::vector<ResumeAction> parse_actions(const Context& context, std::string_view text) {
  std::vector<ResumeAction> actions;
  PacketFields fields(text);
  while (!fields.empty()) {
    const std::string_view one = fields.field(';');
    const std::size_t colon = one.find(':');
    ResumeAction action = parse_action(context, one.substr(0, colon));
    action.threads = {ThreadSelector::kAll, ThreadSelector::kAll};
    if (colon != std::string_view::npos) {
      const auto threads = parse_thread_selector(one.substr(colon + 1));
      if (!threads) throw MalformedPacket("no thread id");
      action.threads = *threads;
    }
    actions.push_back(action);
  }
  if (actions.empty()) throw MalformedPacket("vCont without an action");
  return actions;
}

/// The same actions thread by thread, without the threads of whose stop the client does not know
/// yet: it means them to stay as they are.
std::vector<ResumeAction> for_known_threads(const Context& context,
                                            std::span<const ResumeAction> actions) {
  std::vector<ResumeAction> known;
  for (const ThreadDescription& thread : context.target.threads()) {
    if (context.state.notifications.holds(thread.id)) continue;
    const auto action = std::ranges::find_if(
        actions, [&](const ResumeAction& one) { return one.threads.matches(thread.id); });
    if (action == actions.end()) continue;
    known.push_back(*action);
    known.back().threads = {thread.id.pid, thread.id.tid};
  }
  return known;
}

Reply resume(Context& context, std::span<const ResumeAction> actions) {
  Execution& execution = *context.target.execution();
  if (context.state.non_stop) {
    if (context.state.notifications.empty()) {
      execution.resume(actions);
    } else {
      execution.resume(for_known_threads(context, actions));
    }
    return Reply::ok();
  }
  const bool stops = std::ranges::any_of(
      actions, [](const ResumeAction& action) { return action.kind == ResumeAction::Kind::Stop; });
  if (stops) throw Error("stopping single threads is for non-stop mode: set non-stop on");
  execution.resume(actions);
  return Reply::when_stopped();
}

/// The threads that the old packets c, s, C and S mean: those of the last Hc.
ResumeAction action_for_selected(const Context& context, ResumeAction::Kind kind) {
  ResumeAction action;
  action.kind = kind;
  action.threads = context.state.resumed;
  if (action.threads.tid == ThreadSelector::kAny && kind == ResumeAction::Kind::Step) {
    action.threads = {context.state.general.pid, context.state.general.tid};
  }
  return action;
}

Reply resume_selected(Context& context, ResumeAction::Kind kind, std::string_view signal) {
  ResumeAction action = action_for_selected(context, kind);
  if (!signal.empty()) action.signal = linux_signal(context, PacketFields(signal).last_number());
  return resume(context, std::span(&action, 1));
}

void refuse_address(std::string_view arguments) {
  if (!arguments.empty()) throw Error("resuming at another address is not supported");
}

std::string_view signal_only(std::string_view arguments) {
  if (arguments.empty() || arguments.find(';') != std::string_view::npos) {
    throw MalformedPacket("one signal number is wanted");
  }
  return arguments;
}

}  // namespace

Reply stop_reason(Context& context, std::string_view) {
  if (context.state.non_stop) return all_stops(context);
  if (context.target.threads().empty()) {
    // gdb takes an exit for "nothing here yet"; lldb waits for ever for the process to be there.
    if (context.state.client == SessionState::Client::Lldb) throw Error("there is no process");
    return Reply::packet("W00");
  }
  const StopEvent event = context.target.current_stop();
  context.state.general = event.thread;
  return Reply::packet(stop_reply(context, event));
}

// 'r' is offered too: a target that does not step by instructions still gets the range and may say
// so.
Reply resume_actions(Context&, std::string_view) { return Reply::packet("vCont;c;C;s;S;t;r"); }

Reply resume_with_actions(Context& context, std::string_view arguments) {
  return resume(context, parse_actions(context, arguments));
}

Reply continue_all(Context& context, std::string_view arguments) {
  refuse_address(arguments);
  return resume_selected(context, ResumeAction::Kind::Continue, {});
}

Reply step_one(Context& context, std::string_view arguments) {
  refuse_address(arguments);
  return resume_selected(context, ResumeAction::Kind::Step, {});
}

Reply continue_with_signal(Context& context, std::string_view arguments) {
  return resume_selected(context, ResumeAction::Kind::Continue, signal_only(arguments));
}

Reply step_with_signal(Context& context, std::string_view arguments) {
  return resume_selected(context, ResumeAction::Kind::Step, signal_only(arguments));
}

Reply interrupt(Context& context, std::string_view) {
  context.target.execution()->interrupt();
  return Reply::ok();
}

}  // namespace icecore::gdbstub::commands

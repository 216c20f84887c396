// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/non_stop.h"

#include <algorithm>

#include "gdbstub/commands/commands.h"
#include "gdbstub/stop_reply.h"

namespace icecore::gdbstub::commands {
namespace {

Reply told(const Context& context, const std::optional<StopEvent>& event) {
  return event ? Reply::packet(stop_reply(context, *event)) : Reply::ok();
}

}  // namespace

Reply choose_stop_mode(Context& context, std::string_view arguments) {
  if (arguments != "0" && arguments != "1") throw MalformedPacket("0 or 1");
  const bool wanted = arguments == "1";
  NonStop* ability = context.target.non_stop();
  if (wanted && ability == nullptr) throw Error("this target is all-stop only: set non-stop off");
  if (wanted != context.state.non_stop) {
    ability->set_mode(wanted ? NonStop::Mode::NonStop : NonStop::Mode::AllStop);
  }
  context.state.non_stop = wanted;
  context.state.notifications = {};
  return Reply::ok();
}

Reply next_stop(Context& context, std::string_view) {
  return told(context, context.state.notifications.acknowledge());
}

Reply all_stops(Context& context) {
  std::vector<StopEvent> stops = context.target.non_stop()->stopped_threads();
  const auto& shown = context.state.processes;
  std::erase_if(stops, [&](const StopEvent& stop) {
    return std::ranges::find(shown, stop.thread.pid) == shown.end();
  });
  return told(context, context.state.notifications.restart(stops));
}

}  // namespace icecore::gdbstub::commands

// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/monitor.h"

#include <utility>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"

namespace icecore::gdbstub::commands {

Reply monitor(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::string line = as_text(fields.hex('\0'));
  if (line == "exit") {
    context.state.ending = SessionState::Ending::Exit;
    return Reply::ok();
  }
  std::string text;
  try {
    text = context.target.monitor()->run(line, context.state.general);
  } catch (const Error& error) {
    // An error packet would show as "Protocol error with Rcmd"; people want the sentence.
    text = std::string("error: ") + error.what() + "\n";
    if (!error.hint().empty()) text += "hint: " + error.hint() + "\n";
  }
  Reply reply = Reply::ok();
  reply.console = std::move(text);
  return reply;
}

}  // namespace icecore::gdbstub::commands

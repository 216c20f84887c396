// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/commands/commands.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/signal_numbers.h"
#include "gdbstub/target/signal_passing.h"
#include "gdbstub/target/system_call_catching.h"

namespace icecore::gdbstub::commands {
namespace {

/// "e;10;14": the client's numbers, in hex. Those that Linux does not have are left out.
std::set<int> parse_signals(const Context& context, std::string_view arguments) {
  const bool lldb = context.state.client == SessionState::Client::Lldb;
  std::set<int> signals;
  PacketFields fields(arguments);
  while (!fields.empty()) {
    const std::uint64_t wire = fields.number(';');
    if (wire > 255) throw MalformedPacket("no signal number");
    const int number = static_cast<int>(wire);
    const int signal = lldb ? number : gdb_to_linux_signal(number);
    if (signal > 0 && signal <= 64) signals.insert(signal);
  }
  return signals;
}

}  // namespace

Reply pass_signals(Context& context, std::string_view arguments) {
  context.target.signal_passing()->pass_without_stop(parse_signals(context, arguments));
  return Reply::ok();
}

Reply program_signals(Context& context, std::string_view arguments) {
  context.target.signal_passing()->allow_delivery(parse_signals(context, arguments));
  return Reply::ok();
}

/// "0", "1", "1;NUMBER;NUMBER..." (hex)
Reply catch_system_calls(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::uint64_t wanted = fields.number(';');
  CaughtSystemCalls calls;
  if (wanted > 1 || (wanted == 0 && !fields.empty())) throw MalformedPacket("0, 1 or 1;NUMBERS");
  if (wanted == 1) calls.which = CaughtSystemCalls::Which::All;
  while (!fields.empty()) {
    calls.which = CaughtSystemCalls::Which::Listed;
    calls.numbers.insert(static_cast<std::int64_t>(fields.number(';')));
  }
  context.target.system_call_catching()->catch_calls(context.state.general.pid, calls);
  return Reply::ok();
}

}  // namespace icecore::gdbstub::commands

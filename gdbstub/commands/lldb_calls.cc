// SPDX-License-Identifier: Apache-2.0
// What lldb needs to call functions of the process: memory of its own, and registers put aside.
#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/target/allocation.h"
#include "gdbstub/target/writing.h"

namespace icecore::gdbstub::commands {
namespace {

constexpr std::size_t kMostSaved = 256;

/// The thread of ";thread:ID;", else the one of Hg.
ThreadId suffixed_thread(const Context& context, std::string_view text) {
  constexpr std::string_view kSuffix = "thread:";
  const std::size_t at = text.find(kSuffix);
  if (at == std::string_view::npos) return context.state.general;
  const std::string_view id = text.substr(at + kSuffix.size());
  return context.resolve(id.substr(0, id.find(';')));
}

}  // namespace

/// "SIZE,PERMISSIONS", as in "1000,rwx"
Reply allocate_memory(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  AllocationRequest request;
  request.size = fields.number(',');
  const std::string_view permissions = fields.rest();
  const auto has = [&](char letter) { return permissions.find(letter) != std::string_view::npos; };
  request.readable = has('r');
  request.writable = has('w');
  request.executable = has('x');
  if (request.size == 0) throw MalformedPacket("no bytes wanted");
  return Reply::packet(
      hex_number(context.target.allocation()->allocate(context.state.general.pid, request)));
}

Reply release_memory(Context& context, std::string_view arguments) {
  context.target.allocation()->release(context.state.general.pid,
                                       PacketFields(arguments).last_number());
  return Reply::ok();
}

Reply save_registers(Context& context, std::string_view arguments) {
  auto& saved = context.state.saved_registers;
  if (saved.size() >= kMostSaved) throw Error("too many sets of registers are put aside");
  const ThreadId thread = suffixed_thread(context, arguments);
  const std::uint64_t number = saved.empty() ? 1 : saved.rbegin()->first + 1;
  saved.insert({number, {thread, context.target.read_registers(thread)}});
  return Reply::packet(std::to_string(number));
}

/// "NUMBER;thread:ID;", the number in decimal
Reply restore_registers(Context& context, std::string_view arguments) {
  auto& saved = context.state.saved_registers;
  const std::string_view text = arguments.substr(0, arguments.find(';'));
  for (auto entry = saved.begin(); entry != saved.end(); ++entry) {
    if (std::to_string(entry->first) != text) continue;
    context.target.writing()->write_registers(entry->second.thread, entry->second.values);
    saved.erase(entry);
    return Reply::ok();
  }
  throw Error("no registers were put aside under this number");
}

}  // namespace icecore::gdbstub::commands

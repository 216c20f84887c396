// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/target/writing.h"

namespace icecore::gdbstub::commands {
namespace {

constexpr std::string_view kThreadSuffix = ";thread:";

/// Splits "...;thread:ID;" into what stands before it and the thread, else the thread of Hg.
struct Suffixed {
  std::string_view arguments;
  ThreadId thread;
};
Suffixed split_suffix(const Context& context, std::string_view text) {
  const std::size_t at = text.find(kThreadSuffix);
  if (!context.state.thread_suffix || at == std::string_view::npos) {
    return {text, context.state.general};
  }
  std::string_view id = text.substr(at + kThreadSuffix.size());
  return {text.substr(0, at), context.resolve(id.substr(0, id.find(';')))};
}

std::string register_hex(const Register& reg, const RegisterValues& values, bool is_known) {
  if (!is_known) return std::string(reg.size * 2, 'x');
  return to_hex(std::span(values.bytes).subspan(reg.offset, reg.size));
}

const Register& register_numbered(Target& target, std::uint64_t number) {
  const auto& registers = target.register_layout().registers();
  if (number >= registers.size()) throw Error("no register has this number");
  return registers[number];
}

/// "xx" stands for a byte that is not to be written.
void take_value(RegisterValues& values, const RegisterLayout& layout, std::size_t number,
                std::string_view text) {
  const Register& reg = layout.registers()[number];
  if (text.size() != reg.size * 2) throw MalformedPacket("a value of another size");
  if (text.front() == 'x') return;
  const auto bytes = from_hex(text);
  if (!bytes) throw MalformedPacket("not pairs of hex digits");
  std::ranges::copy(*bytes, values.bytes.begin() + static_cast<std::ptrdiff_t>(reg.offset));
  values.known[number] = true;
}

}  // namespace

Reply read_registers(Context& context, std::string_view arguments) {
  const ThreadId thread = split_suffix(context, arguments).thread;
  const RegisterValues values = context.target.read_registers(thread);
  const auto& registers = context.target.register_layout().registers();
  std::string reply;
  reply.reserve(values.bytes.size() * 2);
  for (std::size_t i = 0; i < registers.size(); ++i) {
    reply += register_hex(registers[i], values, values.known[i]);
  }
  return Reply::packet(std::move(reply));
}

Reply read_register(Context& context, std::string_view arguments) {
  const Suffixed request = split_suffix(context, arguments);
  const std::uint64_t number = PacketFields(request.arguments).last_number();
  const Register& reg = register_numbered(context.target, number);
  const RegisterValues values = context.target.read_registers(request.thread);
  return Reply::packet(register_hex(reg, values, values.known[number]));
}

Reply write_registers(Context& context, std::string_view arguments) {
  const Suffixed request = split_suffix(context, arguments);
  const RegisterLayout& layout = context.target.register_layout();
  if (request.arguments.size() != layout.size() * 2) throw MalformedPacket("not all registers");
  RegisterValues values(layout);
  for (std::size_t i = 0; i < layout.registers().size(); ++i) {
    const Register& reg = layout.registers()[i];
    take_value(values, layout, i, request.arguments.substr(reg.offset * 2, reg.size * 2));
  }
  context.target.writing()->write_registers(request.thread, values);
  return Reply::ok();
}

Reply write_register(Context& context, std::string_view arguments) {
  const Suffixed request = split_suffix(context, arguments);
  PacketFields fields(request.arguments);
  const std::uint64_t number = fields.number('=');
  register_numbered(context.target, number);
  const RegisterLayout& layout = context.target.register_layout();
  RegisterValues values(layout);
  take_value(values, layout, number, fields.rest());
  context.target.writing()->write_registers(request.thread, values);
  return Reply::ok();
}

}  // namespace icecore::gdbstub::commands

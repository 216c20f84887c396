// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/memory_walk.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/packet_framing.h"
#include "gdbstub/target/thread_local_storage.h"
#include "gdbstub/target/writing.h"

namespace icecore::gdbstub::commands {
namespace {

struct Range {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};

Range parse_range(PacketFields& fields, char end) {
  Range range;
  range.address = fields.number(',');
  range.size = fields.number(end);
  return range;
}

/// What is readable at the front of `range`, at most `limit` bytes.
std::vector<std::byte> read_front(Context& context, Range range, std::size_t limit) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(range.size, limit));
  bytes.resize(context.target.read_memory(context.state.general.pid, range.address, bytes));
  if (bytes.empty() && range.size > 0) {
    throw MemoryError("no memory at 0x" + hex_number(range.address));
  }
  return bytes;
}

}  // namespace

Reply read_memory(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Range range = parse_range(fields, '\0');
  return Reply::packet(to_hex(read_front(context, range, kPacketSize / 2 - 16)));
}

Reply read_memory_binary(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Range range = parse_range(fields, '\0');
  if (range.size == 0) return Reply::ok();  // lldb asks whether this packet is known
  std::vector<std::byte> bytes = read_front(context, range, kPacketSize);
  bytes.resize(escaped_prefix(bytes, kPacketSize - 16));
  return Reply::packet(as_text(bytes));
}

Reply write_memory(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Range range = parse_range(fields, ':');
  const std::vector<std::byte> bytes = fields.hex('\0');
  if (bytes.size() != range.size) throw MalformedPacket("not as many bytes as it says");
  context.target.writing()->write_memory(context.state.general.pid, range.address, bytes);
  return Reply::ok();
}

Reply write_memory_binary(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Range range = parse_range(fields, ':');
  const auto bytes = as_bytes(fields.rest());
  if (bytes.size() != range.size) throw MalformedPacket("not as many bytes as it says");
  context.target.writing()->write_memory(context.state.general.pid, range.address, bytes);
  return Reply::ok();
}

Reply search_memory(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::uint64_t address = fields.number(';');
  const std::uint64_t size = fields.number(';');
  const auto pattern = as_bytes(fields.rest());
  if (pattern.empty()) throw MalformedPacket("nothing to search for");
  const MemoryWalk walk(context.target, context.state.general.pid);
  const auto found = walk.find(address, size, pattern);
  return Reply::packet(found ? "1," + hex_number(*found) : "0");
}

Reply checksum(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const Range range = parse_range(fields, '\0');
  const MemoryWalk walk(context.target, context.state.general.pid);
  return Reply::packet("C" + hex_number(walk.crc32(range.address, range.size)));
}

Reply thread_local_address(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const ThreadId thread = context.resolve(fields.field(','));
  const std::uint64_t offset = fields.number(',');
  const std::uint64_t link_map = fields.number('\0');
  return Reply::packet(
      hex_number(context.target.thread_local_storage()->address(thread, offset, link_map)));
}

}  // namespace icecore::gdbstub::commands

// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/packet_fields.h"

#include "gdbstub/hex.h"
#include "gdbstub/reply.h"

namespace icecore::gdbstub {

std::string_view PacketFields::field(char end) {
  const std::size_t at = rest_.find(end);
  const std::string_view found = rest_.substr(0, at);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
  return found;
}

std::uint64_t PacketFields::number(char end) {
  const auto value = parse_hex_number(field(end));
  if (!value) throw MalformedPacket("a hex number is missing");
  return *value;
}

std::vector<std::byte> PacketFields::hex(char end) {
  auto bytes = from_hex(field(end));
  if (!bytes) throw MalformedPacket("not pairs of hex digits");
  return *std::move(bytes);
}

std::uint64_t PacketFields::last_number() {
  const auto value = parse_hex_number(rest_);
  if (!value) throw MalformedPacket("a hex number is missing");
  rest_ = {};
  return *value;
}

}  // namespace icecore::gdbstub

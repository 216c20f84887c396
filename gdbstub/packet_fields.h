// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace icecore::gdbstub {

/// Cuts the arguments of a packet into fields, left to right. Everything throws MalformedPacket
/// when the packet does not have what is asked for.
class PacketFields {
 public:
  explicit PacketFields(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  /// Up to `end`, which is dropped; the rest when there is no `end`.
  std::string_view field(char end);
  std::uint64_t number(char end);
  /// Bytes written as hex.
  std::vector<std::byte> hex(char end);
  /// One number at the end, with nothing behind it.
  std::uint64_t last_number();

 private:
  std::string_view rest_;
};

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/error.h"

namespace icecore {

/// Reads fixed-width little-endian integers and varints from bytes that it borrows; throws Error
/// when they end too soon. Only for little-endian hosts, as all of icecore is.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

  template <std::unsigned_integral Integer>
  Integer read() {
    Integer value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  /// LEB128, as protobuf writes it; at most 10 bytes.
  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = read<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    throw Error("a varint is longer than 10 bytes");
  }

  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) throw Error("the bytes end too soon");
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace icecore

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace icecore {

/// Appends fixed-width little-endian integers, varints and bytes to a buffer that it owns.
class ByteWriter {
 public:
  template <std::unsigned_integral Integer>
  void write(Integer value) {
    append(std::as_bytes(std::span(&value, 1)));
  }

  /// LEB128, as protobuf writes it.
  void write_varint(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<std::byte>(value | 0x80));
      value >>= 7U;
    }
    bytes_.push_back(static_cast<std::byte>(value));
  }

  void append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte> release() { return std::exchange(bytes_, {}); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace icecore

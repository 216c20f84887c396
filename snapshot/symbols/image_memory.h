// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// Reads a plain struct or integer; nullopt when one of its bytes cannot be read.
template <typename Value>
requires std::is_trivially_copyable_v<Value> std::optional<Value> read_value(
    const ProcessImage& image, std::uint64_t address) {
  Value value;
  if (image.read_memory(address, std::as_writable_bytes(std::span(&value, 1))) != sizeof value) {
    return std::nullopt;
  }
  return value;
}

/// The bytes from `address` on, at most `size`, ending before the first unreadable one.
std::vector<std::byte> read_bytes(const ProcessImage& image, std::uint64_t address,
                                  std::size_t size);

/// The mapping of the process that holds `address`, or null. Mappings are sorted by address.
const model::Mapping* find_mapping(const model::Process& process, std::uint64_t address);

/// Keeps the pages of an image that were read, for walks of many small reads (stacks).
class PageCache {
 public:
  explicit PageCache(const ProcessImage& image) : image_(image) {}

  /// Eight bytes, which may lie across two pages; nullopt when one cannot be read.
  std::optional<std::uint64_t> read_word(std::uint64_t address);

 private:
  const std::vector<std::byte>& page(std::uint64_t index);

  const ProcessImage& image_;
  std::unordered_map<std::uint64_t, std::vector<std::byte>> pages_;
};

}  // namespace icecore::symbols

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/unique_fd.h"
#include "store/pack_format.h"

namespace icecore::store {

/// Where a record lies.
struct Locator {
  std::uint64_t pack = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< header and padding included
  auto operator<=>(const Locator&) const = default;
};

[[nodiscard]] std::filesystem::path pack_path(const std::filesystem::path& store,
                                              std::uint64_t pack);

/// Appends records to one new pack. A failed append leaves size() as it was: the next one, or
/// truncate(), takes the place of the torn bytes.
class PackWriter {
 public:
  /// Creates the pack's file with its header; durable when this returns.
  PackWriter(const std::filesystem::path& store, const StoreUuid& uuid, std::uint64_t pack);

  [[nodiscard]] std::uint64_t pack() const { return pack_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// `head` and `tail` are the body's two parts; header.body_size and header.digest are filled
  /// here.
  Locator append(RecordHeader header, std::span<const std::byte> head,
                 std::span<const std::byte> tail = {});
  /// Appends a whole record as it lies in another pack.
  Locator append_copy(std::span<const std::byte> record);
  void sync();
  /// Takes back what was appended after `size`.
  void truncate(std::uint64_t size);

 private:
  std::filesystem::path path_;
  std::uint64_t pack_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

}  // namespace icecore::store

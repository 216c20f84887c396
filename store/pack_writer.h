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

/// Where it is noted which file the pack was when its writer had ended: as long as it still is, in
/// the same life of the machine, the hashes of its pages are not compared again.
[[nodiscard]] std::filesystem::path written_note(const std::filesystem::path& store,
                                                 std::uint64_t pack);
/// The pack's file and its note.
void unlink_pack(const std::filesystem::path& store, std::uint64_t pack);

/// Appends records to one new pack. A failed append leaves size() as it was: the next one, or
/// truncate(), takes the place of the torn bytes.
class PackWriter {
 public:
  /// Creates the pack's file with its header; durable when this returns.
  PackWriter(const std::filesystem::path& store, const StoreUuid& uuid, std::uint64_t pack);
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;
  /// Notes which file it was when the last byte had been written (written_note()).
  ~PackWriter();

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
  std::filesystem::path store_;
  std::filesystem::path path_;
  std::uint64_t pack_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  bool is_doubtful_ = false;  // a sync has failed: what is on disk may be other than what is read
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "store/digest.h"

namespace icecore::store {

/// A pack is a pack header, then records. docs/store-format.md has the grammar.
inline constexpr std::array<char, 8> kPackMagic{'I', 'C', 'E', 'P', 'A', 'C', 'K', '\n'};
inline constexpr std::uint32_t kPackVersion = 1;
inline constexpr std::size_t kPackHeaderSize = 64;

inline constexpr std::uint32_t kRecordMagic = 0x44524349;  // "ICRD"
inline constexpr std::size_t kRecordHeaderSize = 64;
inline constexpr std::size_t kRecordAlignment = 8;

/// A writer goes on in a new pack when this one is at least so long.
inline constexpr std::uint64_t kPackSizeToRoll = 256ULL << 20U;
/// No record is longer: a length beyond it is damage.
inline constexpr std::uint64_t kMaxBodySize = 1ULL << 30U;

enum class RecordType : std::uint8_t { Segment = 1, PageList = 2, FileManifest = 3, Snapshot = 4 };

using StoreUuid = std::array<std::byte, 16>;

struct PackHeader {
  std::uint32_t version = kPackVersion;
  std::uint64_t pack = 0;
  StoreUuid store{};
};

struct RecordHeader {
  RecordType type = RecordType::Segment;
  std::uint8_t version = 1;
  std::uint16_t flags = 0;  // none yet; a reader refuses flags that it does not know
  std::uint64_t body_size = 0;
  std::uint32_t object = 0;  // segment or page list id; 0 for the other types
  Digest digest{};           // BLAKE3 of the body
};

/// Size on disk of a record with a body of `body_size`, padding included.
[[nodiscard]] constexpr std::uint64_t record_size(std::uint64_t body_size) {
  return (kRecordHeaderSize + body_size + kRecordAlignment - 1) / kRecordAlignment *
         kRecordAlignment;
}

[[nodiscard]] std::array<std::byte, kPackHeaderSize> encode(const PackHeader& header);
[[nodiscard]] std::array<std::byte, kRecordHeaderSize> encode(const RecordHeader& header);

/// nullopt when the bytes are too few or no header with a right checksum. The version is the
/// caller's to judge.
[[nodiscard]] std::optional<PackHeader> decode_pack_header(std::span<const std::byte> bytes);
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::span<const std::byte> bytes);

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "store/pack_format.h"

#include <algorithm>
#include <cstring>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace icecore::store {
namespace {

constexpr std::size_t kCheckSize = 8;
constexpr std::size_t kRecordCheckOffset = 24;
constexpr std::size_t kPackCheckOffset = kPackHeaderSize - kCheckSize;

using Header = std::array<std::byte, 64>;
static_assert(sizeof(Header) == kPackHeaderSize && sizeof(Header) == kRecordHeaderSize);

/// Puts the checksum of all other bytes of the header at `offset`.
void seal(Header& header, std::size_t offset) {
  std::fill_n(header.begin() + static_cast<std::ptrdiff_t>(offset), kCheckSize, std::byte{0});
  const Digest digest = digest_of(header);
  std::memcpy(header.data() + offset, digest.data(), kCheckSize);
}

bool is_sealed(std::span<const std::byte> bytes, std::size_t offset) {
  Header header;
  std::memcpy(header.data(), bytes.data(), header.size());
  seal(header, offset);
  return std::memcmp(header.data(), bytes.data(), header.size()) == 0;
}

Header to_header(const ByteWriter& writer) {
  Header header{};
  std::memcpy(header.data(), writer.bytes().data(), std::min(header.size(), writer.size()));
  return header;
}

}  // namespace

std::array<std::byte, kPackHeaderSize> encode(const PackHeader& header) {
  ByteWriter writer;
  writer.append(std::as_bytes(std::span(kPackMagic)));
  writer.write(header.version);
  writer.write(std::uint32_t{0});
  writer.write(header.pack);
  writer.append(header.store);
  Header bytes = to_header(writer);
  seal(bytes, kPackCheckOffset);
  return bytes;
}

std::array<std::byte, kRecordHeaderSize> encode(const RecordHeader& header) {
  ByteWriter writer;
  writer.write(kRecordMagic);
  writer.write(static_cast<std::uint8_t>(header.type));
  writer.write(header.version);
  writer.write(header.flags);
  writer.write(header.body_size);
  writer.write(header.object);
  writer.write(std::uint32_t{0});
  writer.write(std::uint64_t{0});  // the checksum's place
  writer.append(header.digest);
  Header bytes = to_header(writer);
  seal(bytes, kRecordCheckOffset);
  return bytes;
}

std::optional<PackHeader> decode_pack_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kPackHeaderSize || !is_sealed(bytes, kPackCheckOffset)) return std::nullopt;
  ByteReader reader(bytes);
  if (std::memcmp(reader.take(kPackMagic.size()).data(), kPackMagic.data(), kPackMagic.size()) !=
      0) {
    return std::nullopt;
  }
  PackHeader header;
  header.version = reader.read<std::uint32_t>();
  reader.take(4);
  header.pack = reader.read<std::uint64_t>();
  std::ranges::copy(reader.take(header.store.size()), header.store.begin());
  return header;
}

std::optional<RecordHeader> decode_record_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kRecordHeaderSize) return std::nullopt;
  ByteReader reader(bytes);
  // The magic first: resynchronising after damage tries every eighth byte.
  if (reader.read<std::uint32_t>() != kRecordMagic) return std::nullopt;
  if (!is_sealed(bytes, kRecordCheckOffset)) return std::nullopt;
  RecordHeader header;
  header.type = static_cast<RecordType>(reader.read<std::uint8_t>());
  header.version = reader.read<std::uint8_t>();
  header.flags = reader.read<std::uint16_t>();
  header.body_size = reader.read<std::uint64_t>();
  header.object = reader.read<std::uint32_t>();
  reader.take(4 + kCheckSize);
  std::ranges::copy(reader.take(header.digest.size()), header.digest.begin());
  if (header.body_size > kMaxBodySize) return std::nullopt;
  return header;
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "store/segment_reader.h"

#include <cstring>

#include "base/byte_reader.h"
#include "store/corrupt_store.h"

namespace icecore::store {
namespace {

constexpr std::size_t kBaseIndexOffset = 16;
constexpr std::size_t kLengthOffset = 20;
constexpr std::size_t kSlotOffset = 22;

template <typename Integer>
Integer load(std::span<const std::byte> bytes, std::size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::size_t length_of(std::uint16_t packed) {
  const std::size_t length = packed & 0xfffU;
  return packed >> 12U == static_cast<unsigned>(PageEncoding::Raw) ? kPageSize : length;
}

}  // namespace

SegmentReader::SegmentReader(std::shared_ptr<const PackReader> pack, const PackRecord& record)
    : pack_(std::move(pack)), locator_(record.locator), id_(record.header.object) {
  if (record.body.size() < kSegmentHeaderSize) damaged("a segment without its header");
  ByteReader reader(record.body);
  pages_ = reader.read<std::uint32_t>();
  bases_ = reader.read<std::uint32_t>();
  const auto payload_size = reader.read<std::uint32_t>();
  reader.take(4);
  const std::uint64_t offsets = (std::uint64_t{pages_} + kPagesPerOffset - 1) / kPagesPerOffset;
  const std::uint64_t needed = std::uint64_t{bases_} * 4 + offsets * 4 +
                               std::uint64_t{pages_} * kDirectoryEntrySize + payload_size;
  if (needed != reader.remaining()) damaged("a segment's tables do not fill it");
  base_table_ = reader.take(std::size_t{bases_} * 4);
  offsets_ = reader.take(offsets * 4);
  directory_ = reader.take(std::size_t{pages_} * kDirectoryEntrySize);
  payload_ = reader.take(payload_size);
}

std::uint32_t SegmentReader::base(std::uint32_t slot) const {
  if (slot >= bases_) damaged("a delta names a base segment that is not in the table");
  return load<std::uint32_t>(base_table_, std::size_t{slot} * 4);
}

std::uint16_t SegmentReader::packed_length(std::uint32_t index) const {
  return load<std::uint16_t>(directory_, std::size_t{index} * kDirectoryEntrySize + kLengthOffset);
}

DirectoryEntry SegmentReader::entry(std::uint32_t index) const {
  if (index >= pages_) damaged("page " + std::to_string(index) + " is not in the segment");
  const auto bytes =
      directory_.subspan(std::size_t{index} * kDirectoryEntrySize, kDirectoryEntrySize);
  DirectoryEntry entry;
  std::memcpy(entry.hash.data(), bytes.data(), entry.hash.size());
  entry.base_index = load<std::uint32_t>(bytes, kBaseIndexOffset);
  const auto packed = load<std::uint16_t>(bytes, kLengthOffset);
  entry.encoding = static_cast<PageEncoding>(packed >> 12U);
  entry.length = static_cast<std::uint16_t>(length_of(packed));
  entry.base_slot = load<std::uint16_t>(bytes, kSlotOffset);
  return entry;
}

std::span<const std::byte> SegmentReader::payload(std::uint32_t index) const {
  if (index >= pages_) damaged("page " + std::to_string(index) + " is not in the segment");
  const std::uint32_t sampled = index / kPagesPerOffset;
  std::size_t offset = load<std::uint32_t>(offsets_, std::size_t{sampled} * 4);
  for (std::uint32_t i = sampled * kPagesPerOffset; i < index; ++i) {
    offset += length_of(packed_length(i));
  }
  const std::size_t length = length_of(packed_length(index));
  if (offset + length > payload_.size()) damaged("a page lies outside its segment");
  return payload_.subspan(offset, length);
}

std::span<const std::byte> SegmentReader::raw_run(std::uint32_t index, std::uint64_t most) const {
  constexpr unsigned kRaw = static_cast<unsigned>(PageEncoding::Raw);
  std::uint32_t end = index;
  while (end < pages_ && end - index < most && packed_length(end) >> 12U == kRaw) ++end;
  if (end == index) return {};
  const std::size_t offset = static_cast<std::size_t>(payload(index).data() - payload_.data());
  const std::size_t size = std::size_t{end - index} * kPageSize;
  if (offset + size > payload_.size()) damaged("a page lies outside its segment");
  return payload_.subspan(offset, size);
}

void SegmentReader::damaged(const std::string& what) const {
  throw CorruptStore(pack_ == nullptr ? "segment" : pack_->file(), locator_.offset, what);
}

}  // namespace icecore::store

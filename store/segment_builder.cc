// SPDX-License-Identifier: Apache-2.0
#include "store/segment_builder.h"

#include "base/byte_writer.h"

namespace icecore::store {
namespace {

void write_entry(ByteWriter& writer, const DirectoryEntry& entry) {
  writer.append(entry.hash);
  writer.write(entry.base_index);
  const auto length = entry.encoding == PageEncoding::Raw ? 0U : entry.length;
  writer.write(static_cast<std::uint16_t>(static_cast<unsigned>(entry.encoding) << 12U | length));
  writer.write(entry.base_slot);
}

}  // namespace

SegmentBuilder::SegmentBuilder(std::uint32_t id) : id_(id) {}

bool SegmentBuilder::is_full() const {
  return payload_.size() >= kPayloadToFlush || entries_.size() >= kMaxPagesPerSegment;
}

std::uint32_t SegmentBuilder::add(const EncodedPage& page, const PageHash& hash, PageRef base) {
  DirectoryEntry entry;
  entry.hash = hash;
  entry.encoding = page.encoding;
  entry.length = static_cast<std::uint16_t>(page.bytes.size());
  if (page.encoding == PageEncoding::DeltaLz4) {
    const auto [slot, is_new] =
        slots_.try_emplace(base.segment, static_cast<std::uint16_t>(bases_.size()));
    if (is_new) bases_.push_back(base.segment);
    entry.base_slot = slot->second;
    entry.base_index = base.index;
  }
  if (payload_.empty() && page.encoding != PageEncoding::DeltaLz4) payload_.reserve(1U << 20U);
  payload_.insert(payload_.end(), page.bytes.begin(), page.bytes.end());
  entries_.push_back(entry);
  return pages() - 1;
}

Locator SegmentBuilder::append_to(PackWriter& pack) const {
  ByteWriter head;
  head.write(pages());
  head.write(static_cast<std::uint32_t>(bases_.size()));
  head.write(static_cast<std::uint32_t>(payload_.size()));
  head.write(std::uint32_t{0});
  for (const std::uint32_t base : bases_) head.write(base);
  std::uint32_t offset = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i % kPagesPerOffset == 0) head.write(offset);
    offset += entries_[i].length;
  }
  for (const DirectoryEntry& entry : entries_) write_entry(head, entry);
  RecordHeader header;
  header.type = RecordType::Segment;
  header.object = id_;
  return pack.append(header, head.bytes(), payload_);
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "store/pack_reader.h"

#include <algorithm>

#include "base/error.h"
#include "base/unique_fd.h"
#include "store/corrupt_store.h"
#include "store/file_mark.h"
#include "store/file_system.h"

namespace icecore::store {
namespace {

/// The record at `offset` when its header is sound and its body is all there.
std::optional<PackRecord> record_at(std::span<const std::byte> bytes, std::uint64_t pack,
                                    std::uint64_t offset) {
  const auto rest = bytes.subspan(offset);
  const auto header = decode_record_header(rest);
  if (!header || kRecordHeaderSize + header->body_size > rest.size()) return std::nullopt;
  return PackRecord{Locator{pack, offset, record_size(header->body_size)}, *header,
                    rest.subspan(kRecordHeaderSize, header->body_size)};
}

}  // namespace

void scan_pack(std::span<const std::byte> bytes, std::uint64_t pack,
               const std::function<void(const PackRecord&)>& on_record,
               const std::function<void(std::uint64_t, const std::string&)>& on_damage) {
  if (!decode_pack_header(bytes)) on_damage(0, "no sound pack header");
  bool lost = false;
  std::uint64_t offset = kPackHeaderSize;
  while (offset < bytes.size()) {
    const auto record = record_at(bytes, pack, offset);
    if (!record) {
      if (!lost) on_damage(offset, "no sound record header, or a record cut short");
      lost = true;
      offset += kRecordAlignment;
      continue;
    }
    lost = false;
    if (record->is_whole()) {
      on_record(*record);
    } else {
      on_damage(offset, "a record's bytes do not match their checksum");
    }
    offset += record->locator.size;
  }
}

PackReader::PackReader(const std::filesystem::path& store, std::uint64_t pack)
    : file_(pack_path(store, pack).string()), note_(written_note(store, pack)) {
  if (!reach(kPackHeaderSize)) throw CorruptStore(file_, 0, "the pack is cut short");
  const auto header = decode_pack_header(bytes());
  if (!header || header->pack != pack) throw CorruptStore(file_, 0, "no sound pack header");
  if (header->version > kPackVersion) {
    throw Error("open " + file_ + ": the pack has format version " +
                std::to_string(header->version) + ", this icecore knows up to " +
                std::to_string(kPackVersion));
  }
  header_ = *header;
}

std::span<const std::byte> PackReader::bytes() const { return {regions_.back().data(), size_}; }

bool PackReader::reach(std::uint64_t end) {
  if (end <= size_) return true;
  const UniqueFd fd = open_for_reading(file_);
  const std::uint64_t size = file_size(fd.get(), file_);
  if (end > size) return false;
  if (regions_.empty() || size > regions_.back().size()) {
    // A pack that grows is mapped as far as it will grow, so that this happens once or twice only.
    const std::uint64_t room = regions_.empty() ? size : std::max(2 * size, kPackSizeToRoll);
    regions_.push_back(MappedRegion::read_only_file(fd.get(), room));
  }
  size_ = size;
  as_written_ = is_marked(note_, fd.get());
  return true;
}

PackRecord PackReader::sound_record(const Locator& locator) const {
  if (locator.offset + locator.size > size_ || locator.offset < kPackHeaderSize) {
    throw CorruptStore(file_, locator.offset, "the pack is cut short");
  }
  const auto record = record_at(bytes(), locator.pack, locator.offset);
  if (!record || record->locator.size != locator.size) {
    throw CorruptStore(file_, locator.offset, "no sound record header");
  }
  return *record;
}

PackRecord PackReader::record(const Locator& locator, RecordType type) const {
  const PackRecord record = sound_record(locator);
  if (record.header.type != type) {
    throw CorruptStore(file_, locator.offset, "a record of another type than the index says");
  }
  if (record.header.version != 1 || record.header.flags != 0) {
    throw Error("read " + file_ + ": a record at offset " + std::to_string(locator.offset) +
                " was written by a newer icecore");
  }
  return record;
}

std::span<const std::byte> PackReader::whole_record(const Locator& locator) const {
  if (!sound_record(locator).is_whole()) {
    throw CorruptStore(file_, locator.offset, "a record's bytes do not match their checksum");
  }
  return bytes().subspan(locator.offset, locator.size);
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "store/stored_objects.h"

#include <cerrno>

#include "base/error.h"
#include "store/corrupt_store.h"

namespace icecore::store {
namespace {

constexpr std::size_t kListBytesToKeep = 128U << 20U;
constexpr std::size_t kSegmentsToKeep = 100'000;
// A collection may move a record between the look into the index and the open of the pack; twice in
// a row is possible, ten times is not.
constexpr int kTries = 10;

std::size_t weight_of(const PageList& list) {
  return sizeof(PageList) + list.runs.capacity() * sizeof(VersionRun);
}

std::optional<Locator> to_locator(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return Locator{rows.number(0), rows.number(1), rows.number(2)};
}

}  // namespace

StoredObjects::StoredObjects(std::filesystem::path store, SqliteConnection& index)
    : store_(std::move(store)), index_(index) {}

std::shared_ptr<PackReader> StoredObjects::open_pack(const Locator& locator) {
  auto& pack = packs_[locator.pack];
  if (pack == nullptr) pack = std::make_shared<PackReader>(store_, locator.pack);
  if (!pack->reach(locator.offset + locator.size)) {
    throw CorruptStore(pack->file(), locator.offset, "the pack is cut short");
  }
  return pack;
}

LoadedRecord StoredObjects::load_unchecked(const std::function<std::optional<Locator>()>& find,
                                           RecordType type, const std::string& what) {
  for (int tries = 1;; ++tries) {
    const auto locator = find();
    if (!locator) throw Error(what + " is not in the store any more");
    try {
      auto pack = open_pack(*locator);
      const PackRecord record = pack->record(*locator, type);
      return {std::move(pack), record};
    } catch (const CorruptStore&) {
      throw;
    } catch (const Error& error) {
      if (error.errno_value() != ENOENT) throw;
      packs_.erase(locator->pack);
      if (tries == kTries) {
        throw CorruptStore(pack_path(store_, locator->pack).string(), locator->offset,
                           "the pack is missing");
      }
    }
  }
}

LoadedRecord StoredObjects::load(const std::function<std::optional<Locator>()>& find,
                                 RecordType type, const std::string& what) {
  LoadedRecord loaded = load_unchecked(find, type, what);
  if (!loaded.record.is_whole()) {
    throw CorruptStore(loaded.pack->file(), loaded.record.locator.offset,
                       what + " does not match its checksum");
  }
  return loaded;
}

std::shared_ptr<const SegmentReader> StoredObjects::segment(std::uint32_t id) {
  if (const auto known = segments_.find(id); known != segments_.end()) return known->second;
  const auto find = [&] {
    return to_locator(
        index_.query("SELECT pack_id, pack_offset, pack_length FROM segments WHERE id=?1", id));
  };
  const LoadedRecord loaded =
      load_unchecked(find, RecordType::Segment, "segment " + std::to_string(id));
  auto segment = std::make_shared<const SegmentReader>(loaded.pack, loaded.record);
  if (segment->id() != id) segment->damaged("it is not segment " + std::to_string(id));
  if (segments_.size() >= kSegmentsToKeep) segments_.clear();
  segments_.emplace(id, segment);
  return segment;
}

std::shared_ptr<const PageList> StoredObjects::load_page_list(const ListKey& key) {
  const auto& [recording, space, sequence] = key;
  std::uint32_t id = 0;
  // clang 14 does not let a lambda capture what a structured binding names.
  const auto find = [&, recording = recording, space = space,
                     sequence = sequence]() -> std::optional<Locator> {
    Rows rows = index_.query(
        "SELECT pack_id, pack_offset, pack_length, id FROM page_lists WHERE "
        "recording_id=?1 AND space=?2 AND sequence=?3",
        recording, space, sequence);
    if (!rows.next()) return std::nullopt;
    id = rows.number32(3);
    return Locator{rows.number(0), rows.number(1), rows.number(2)};
  };
  const std::string what =
      "page list " + std::to_string(sequence) + " of space " + std::to_string(space);
  const LoadedRecord loaded = load(find, RecordType::PageList, what);
  try {
    return std::make_shared<const PageList>(decode_page_list(id, loaded.record.body));
  } catch (const Error& error) {
    throw CorruptStore(loaded.pack->file(), loaded.record.locator.offset,
                       what + ": " + error.what());
  }
}

std::shared_ptr<const PageList> StoredObjects::page_list(const ListKey& key) {
  if (const auto known = lists_.find(key); known != lists_.end()) {
    ages_.splice(ages_.begin(), ages_, known->second.age);
    return known->second.list;
  }
  auto list = load_page_list(key);
  keep(key, list);
  return list;
}

void StoredObjects::keep(const ListKey& key, std::shared_ptr<const PageList> list) {
  list_bytes_ += weight_of(*list);
  ages_.push_front(key);
  lists_.insert_or_assign(key, CachedList{std::move(list), ages_.begin()});
  while (list_bytes_ > kListBytesToKeep && ages_.size() > 1) {
    const auto oldest = lists_.find(ages_.back());
    list_bytes_ -= weight_of(*oldest->second.list);
    lists_.erase(oldest);
    ages_.pop_back();
  }
}

PageMap StoredObjects::page_map(std::int64_t recording, std::uint64_t space,
                                std::uint64_t sequence) {
  PageMap::Lists lists;
  while (space != 0) {
    for (; sequence != 0; sequence = sequence_below(sequence)) {
      lists.push_back(page_list({recording, space, sequence}));
    }
    Rows parent = index_.query(
        "SELECT parent_space, parent_sequence FROM spaces WHERE "
        "recording_id=?1 AND space=?2",
        recording, space);
    if (!parent.next()) break;
    space = parent.number(0);
    sequence = parent.number(1);
  }
  return PageMap(std::move(lists));
}

PageMap StoredObjects::page_map_at(std::int64_t recording, std::uint64_t space,
                                   std::uint64_t number) {
  Rows rows = index_.query(
      "SELECT coalesce((SELECT sequence FROM page_lists WHERE recording_id=?1 AND space=?2 AND "
      "number<=?3 ORDER BY number DESC, sequence DESC LIMIT 1), 0) FROM spaces WHERE "
      "recording_id=?1 AND space=?2 AND first_number<=?3 AND "
      "(ended_number IS NULL OR ended_number>?3)",
      recording, space, number);
  if (!rows.next()) return {};
  return page_map(recording, space, rows.number(0));
}

bool StoredObjects::decode(PageRef page, std::span<std::byte, kPageSize> out) {
  const auto holder = segment(page.segment);
  const DirectoryEntry entry = holder->entry(page.index);
  const auto payload = holder->payload(page.index);
  if (entry.encoding != PageEncoding::DeltaLz4) return decode_page(entry.encoding, payload, out);
  const auto base = segment(holder->base(entry.base_slot));
  const DirectoryEntry whole = base->entry(entry.base_index);
  return decode_page(whole.encoding, base->payload(entry.base_index), out) &&
         apply_delta(payload, out);
}

void StoredObjects::read_page(PageRef page, std::span<std::byte, kPageSize> out) {
  check_hash(page, decode(page, out) ? out : std::span<const std::byte>());
}

/// `bytes` are empty when they could not be decoded.
void StoredObjects::check_hash(PageRef page, std::span<const std::byte> bytes) {
  const auto holder = segment(page.segment);
  if (bytes.empty() || page_hash_of(bytes) != holder->entry(page.index).hash) {
    holder->damaged("page " + std::to_string(page.index) + " of segment " +
                    std::to_string(page.segment) + " does not match its hash");
  }
}

void StoredObjects::copy_page(PageRef page, std::span<std::byte, kPageSize> out) {
  if (!decode(page, out)) check_hash(page, {});
  const auto holder = segment(page.segment);
  const bool has_base = holder->entry(page.index).encoding == PageEncoding::DeltaLz4;
  if (!holder->is_as_written() || (has_base && !is_base_as_written(page))) check_hash(page, out);
}

bool StoredObjects::is_base_as_written(PageRef page) {
  return segment(base_of(page).segment)->is_as_written();
}

std::span<const std::byte> StoredObjects::raw_run(PageRef first, std::uint64_t most) {
  const auto holder = segment(first.segment);
  const auto bytes = holder->raw_run(first.index, most);
  if (holder->is_as_written()) return bytes;
  for (std::uint32_t i = 0; i * kPageSize < bytes.size(); ++i) {
    check_hash({first.segment, first.index + i}, bytes.subspan(i * kPageSize, kPageSize));
  }
  return bytes;
}

bool StoredObjects::same_content(const PageVersion& one, const PageVersion& other) {
  constexpr auto kStored = PageVersion::Kind::Stored;
  if (one.kind != kStored || other.kind != kStored) return one == other;
  return segment(one.segment)->entry(one.index).hash ==
         segment(other.segment)->entry(other.index).hash;
}

PageRef StoredObjects::base_of(PageRef page) {
  const auto holder = segment(page.segment);
  const DirectoryEntry entry = holder->entry(page.index);
  if (entry.encoding != PageEncoding::DeltaLz4) return page;
  return {holder->base(entry.base_slot), entry.base_index};
}

}  // namespace icecore::store

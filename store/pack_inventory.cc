// SPDX-License-Identifier: Apache-2.0
#include "store/pack_inventory.h"

#include <charconv>
#include <memory>
#include <string>

#include "base/byte_reader.h"
#include "base/error.h"
#include "store/corrupt_store.h"
#include "store/file_manifest.h"
#include "store/pack_reader.h"
#include "store/segment_reader.h"

namespace icecore::store {
namespace {

std::vector<std::uint32_t> segments_in(const VersionRuns& runs) {
  std::set<std::uint32_t> segments;
  for (const VersionRun& run : runs) {
    if (run.kind == PageVersion::Kind::Stored) segments.insert(run.ref.segment);
  }
  return {segments.begin(), segments.end()};
}

class PackTaker {
 public:
  PackTaker(PackInventory& inventory, std::shared_ptr<const PackReader> pack)
      : inventory_(inventory), pack_(std::move(pack)) {}

  void run() {
    scan_pack(
        pack_->bytes(), pack_->header().pack, [this](const PackRecord& record) { take(record); },
        [this](std::uint64_t offset, const std::string& what) { damage(offset, what); });
  }

 private:
  void damage(std::uint64_t offset, const std::string& what) {
    inventory_.damages.push_back({pack_->file(), offset, what, {}});
  }

  void take(const PackRecord& record) {
    inventory_.last_object = std::max(inventory_.last_object, record.header.object);
    if (record.header.version != 1 || record.header.flags != 0) {
      damage(record.locator.offset, "a record of a newer icecore");
      return;
    }
    try {
      take_sound(record);
    } catch (const Error& error) {
      damage(record.locator.offset, error.what());
    }
  }

  void take_sound(const PackRecord& record) {
    switch (record.header.type) {
      case RecordType::Segment:
        return take_segment(record);
      case RecordType::PageList:
        return take_list(record);
      case RecordType::FileManifest:
        return take_file(record);
      case RecordType::Snapshot:
        return take_snapshot(record);
    }
    damage(record.locator.offset, "a record of unknown type");
  }

  void take_segment(const PackRecord& record) {
    const SegmentReader segment(pack_, record);
    PendingSegment found{segment.id(), segment.pages(), {}, record.locator};
    for (std::uint32_t slot = 0; slot < segment.bases(); ++slot) {
      found.bases.push_back(segment.base(slot));
    }
    inventory_.segments.insert_or_assign(segment.id(), std::move(found));
  }

  void take_list(const PackRecord& record) {
    ByteReader reader(record.body);
    const PageListKey key = decode_page_list_key(reader);
    const std::uint32_t id = record.header.object;
    inventory_.lists.insert_or_assign(id, PendingList{id, key, record.locator});
    inventory_.segments_of_lists[id] = decode_run_segments(reader);
  }

  void take_file(const PackRecord& record) {
    const FileManifest manifest = decode_file_manifest(record.body);
    inventory_.files.insert_or_assign(
        manifest.id,
        PendingFile{manifest.id, manifest.size, segments_in(manifest.runs), record.locator});
  }

  void take_snapshot(const PackRecord& record) {
    FoundSnapshot found{decode_snapshot_record(record.body), record.locator};
    found.record.model.clear();
    found.record.model.shrink_to_fit();
    const std::pair key(found.record.recording.uuid, found.record.summary.key.number);
    inventory_.snapshots.insert_or_assign(key, std::move(found));
  }

  PackInventory& inventory_;
  std::shared_ptr<const PackReader> pack_;
};

void take_pack(PackInventory& inventory, const std::filesystem::path& store, std::uint64_t number) {
  try {
    const auto pack = std::make_shared<const PackReader>(store, number);
    if (!inventory.store) inventory.store = pack->header().store;
    if (*inventory.store != pack->header().store) {
      inventory.damages.push_back({pack->file(), 0, "the pack belongs to another store", {}});
      return;
    }
    inventory.packs[number] = pack->bytes().size();
    PackTaker(inventory, pack).run();
  } catch (const CorruptStore& error) {
    inventory.damages.push_back({error.file(), error.offset(), error.damage(), {}});
  }
}

}  // namespace

std::uint64_t pack_number(const std::filesystem::path& file) {
  const std::string name = file.stem().string();
  std::uint64_t number = 0;
  const auto result = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = result.ec == std::errc() && result.ptr == name.data() + name.size();
  return is_number && file.extension() == ".pack" ? number : 0;
}

PackInventory take_inventory(const std::filesystem::path& store) {
  std::set<std::uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store / "packs", error)) {
    if (const std::uint64_t number = pack_number(entry.path())) numbers.insert(number);
  }
  if (error) throw_errno("list " + (store / "packs").string(), error.value());
  PackInventory inventory;
  inventory.directory = store;
  for (const std::uint64_t number : numbers) take_pack(inventory, store, number);
  return inventory;
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "store/verifier.h"

#include <algorithm>

#include "base/error.h"
#include "store/corrupt_store.h"
#include "store/file_manifest.h"

namespace icecore::store {
namespace {

std::optional<Locator> first_locator(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return Locator{rows.number(0), rows.number(1), rows.number(2)};
}

std::vector<std::uint32_t> ids_of(SqliteConnection& index, const std::string& sql) {
  std::vector<std::uint32_t> ids;
  Rows rows = index.query(sql);
  while (rows.next()) ids.push_back(rows.number32(0));
  return ids;
}

}  // namespace

Verifier::Verifier(std::filesystem::path store, SqliteConnection& index)
    : store_(std::move(store)), index_(index), objects_(store_, index) {}

VerifyReport Verifier::run(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  progress_ = progress;
  report_ = {};
  for (const char* table : {"segments", "page_lists", "files", "snapshots"}) {
    Rows rows = index_.query(std::string("SELECT coalesce(sum(pack_length), 0) FROM ") + table);
    rows.next();
    total_ += rows.number(0);
  }
  check_segments();
  check_lists();
  check_files();
  check_snapshots();
  auto needing = snapshots_needing(objects_, lost_);
  for (std::size_t i = 0; i < damages_.size(); ++i) damages_[i].snapshots = std::move(needing[i]);
  report_.damages = std::move(damages_);
  return std::move(report_);
}

void Verifier::advance(std::uint64_t bytes) {
  report_.bytes += bytes;
  // More may have been written since the total was taken.
  if (progress_) progress_(report_.bytes, std::max(total_, report_.bytes));
}

void Verifier::note(const std::string& file, std::uint64_t offset, const std::string& what,
                    const LostObjects& lost) {
  damaged_segments_.insert(lost.segments.begin(), lost.segments.end());
  damages_.push_back({file, offset, what, {}});
  lost_.push_back(lost);
}

bool Verifier::check(const std::function<std::optional<Locator>()>& find, RecordType type,
                     const std::string& what, const LostObjects& lost) {
  const auto locator = find();
  if (!locator) return false;  // gc was here meanwhile
  try {
    const LoadedRecord loaded = objects_.load(find, type, what);
    advance(loaded.record.locator.size);
    return true;
  } catch (const CorruptStore& damage) {
    advance(locator->size);
    note(damage.file(), damage.offset(), what + ": " + damage.damage(), lost);
    return false;
  }
}

void Verifier::check_segments() {
  const auto ids = ids_of(index_, "SELECT id FROM segments ORDER BY pack_id, pack_offset");
  std::vector<std::uint32_t> sound;
  for (const std::uint32_t id : ids) {
    const auto find = [&] {
      return first_locator(
          index_.query("SELECT pack_id, pack_offset, pack_length FROM segments WHERE id=?1", id));
    };
    LostObjects lost;
    lost.segments.insert(id);
    if (check(find, RecordType::Segment, "segment " + std::to_string(id), lost))
      sound.push_back(id);
  }
  // Only now is it known which bases are sound.
  for (const std::uint32_t id : sound) check_pages(id);
}

void Verifier::check_pages(std::uint32_t id) {
  try {
    const auto segment = objects_.segment(id);
    for (std::uint32_t page = 0; page < segment->pages(); ++page) check_page(*segment, page);
  } catch (const CorruptStore& damage) {
    LostObjects lost;
    lost.segments.insert(id);
    note(damage.file(), damage.offset(), damage.damage(), lost);
  } catch (const Error&) {
    const auto gone = index_.query("SELECT 1 FROM segments WHERE id=?1", id).next();
    if (gone) throw;
  }
}

void Verifier::check_page(const SegmentReader& segment, std::uint32_t page) {
  const DirectoryEntry entry = segment.entry(page);
  if (entry.encoding == PageEncoding::DeltaLz4) {
    // A base that is damaged is reported there. One that gc took belonged to pages that no snapshot
    // needs, in a segment that is kept for others.
    const std::uint32_t base = segment.base(entry.base_slot);
    if (damaged_segments_.contains(base)) return;
    if (!index_.query("SELECT 1 FROM segments WHERE id=?1", base).next()) return;
  }
  PageBuffer bytes;
  objects_.read_page({segment.id(), page}, bytes);
  ++report_.pages;
}

void Verifier::check_lists() {
  for (const std::uint32_t id :
       ids_of(index_, "SELECT id FROM page_lists ORDER BY pack_id, pack_offset")) {
    const auto find = [&] {
      return first_locator(
          index_.query("SELECT pack_id, pack_offset, pack_length FROM page_lists WHERE id=?1", id));
    };
    LostObjects lost;
    lost.lists.insert(id);
    check(find, RecordType::PageList, "page list " + std::to_string(id), lost);
  }
}

void Verifier::check_files() {
  std::vector<FileId> files;
  {
    Rows rows = index_.query("SELECT content FROM files");
    while (rows.next()) files.push_back(to_file_id(rows.blob(0)));
  }
  for (const FileId& file : files) {
    const auto find = [&] {
      return first_locator(index_.query(
          "SELECT pack_id, pack_offset, pack_length FROM files WHERE content=?1", file.hash));
    };
    LostObjects lost;
    lost.files.insert(file);
    check(find, RecordType::FileManifest, "a kept file's manifest", lost);
  }
}

void Verifier::check_snapshots() {
  struct One {
    std::int64_t recording;
    std::uint64_t number;
    std::string name;
  };
  std::vector<One> all;
  {
    Rows rows = index_.query(
        "SELECT recording_id, number, name FROM snapshots JOIN recordings ON "
        "recordings.id=recording_id ORDER BY recording_id, number");
    while (rows.next()) all.push_back({rows.integer(0), rows.number(1), rows.text(2)});
  }
  for (const One& one : all) {
    const auto find = [&] {
      return first_locator(
          index_.query("SELECT pack_id, pack_offset, pack_length FROM snapshots "
                       "WHERE recording_id=?1 AND number=?2",
                       one.recording, one.number));
    };
    LostObjects lost;
    lost.snapshots.emplace(one.recording, one.number);
    const SnapshotKey key{one.name, one.number};
    check(find, RecordType::Snapshot, "snapshot " + key.text(), lost);
    ++report_.snapshots;
  }
}

}  // namespace icecore::store

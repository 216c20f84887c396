// SPDX-License-Identifier: Apache-2.0
#include "store/collector.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "store/corrupt_store.h"
#include "store/pack_inventory.h"
#include "store/pack_reader.h"
#include "store/recording_lock.h"

namespace icecore::store {
namespace {

/// The tables whose rows locate a record.
constexpr const char* kRecordTables[] = {"segments", "page_lists", "files", "snapshots"};

/// A copied record.
struct Move {
  Locator from;
  Locator to;
};

std::uint64_t size_or_zero(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

template <typename IsLive>
void delete_dead(SqliteConnection& index, const std::string& table, const IsLive& is_live) {
  std::vector<std::uint32_t> dead;
  {
    Rows rows = index.query("SELECT id FROM " + table);
    while (rows.next()) {
      if (!is_live(rows.number32(0))) dead.push_back(rows.number32(0));
    }
  }
  for (const std::uint32_t id : dead) index.run("DELETE FROM " + table + " WHERE id=?1", id);
}

}  // namespace

Collector::Collector(std::filesystem::path store, SqliteConnection& index)
    : store_(std::move(store)), index_(index) {}

GarbageReport Collector::run() {
  const FileLock lock = FileLock::wait_for(collector_lock_path(store_));
  report_ = {};
  report_.bytes_before = bytes_on_disk();
  const std::vector<Pack> packs = mark_and_forget();
  // The wholly dead first: that makes room for the copies.
  for (const Pack& pack : packs) {
    if (pack.live == 0) remove_pack(pack);
  }
  remove_orphans();
  rewrite_sparse(packs);
  report_.bytes_after = bytes_on_disk();
  return report_;
}

std::vector<Collector::Pack> Collector::mark_and_forget() {
  Transaction transaction(index_);
  const LiveObjects live = mark_live_objects(store_, index_);
  forget_dead_rows(live);
  auto packs = list_packs(live.locked);
  transaction.commit();
  return packs;
}

void Collector::forget_dead_rows(const LiveObjects& live) {
  delete_dead(index_, "page_lists", [&](std::uint32_t id) { return live.lists.contains(id); });
  delete_dead(index_, "segments", [&](std::uint32_t id) { return live.segments.contains(id); });
  index_.run("DELETE FROM segment_bases WHERE segment_id NOT IN (SELECT id FROM segments)");
  std::vector<std::vector<std::byte>> dead_files;
  {
    Rows rows = index_.query("SELECT content FROM files");
    while (rows.next()) {
      FileId file;
      std::ranges::copy(rows.blob(0).first(file.hash.size()), file.hash.begin());
      if (!live.files.contains(file)) dead_files.emplace_back(file.hash.begin(), file.hash.end());
    }
  }
  for (const auto& content : dead_files) {
    index_.run("DELETE FROM files WHERE content=?1", content);
    index_.run("DELETE FROM file_segments WHERE content=?1", content);
    index_.run("DELETE FROM file_identities WHERE content=?1", content);
  }
  std::vector<std::pair<std::int64_t, std::uint64_t>> dead_spaces;
  {
    Rows rows = index_.query("SELECT recording_id, space, ended_number FROM spaces");
    while (rows.next()) {
      const std::pair key(rows.integer(0), rows.number(1));
      const bool goes_on = rows.is_null(2) && live.locked.contains(key.first);
      if (!goes_on && !live.spaces.contains(key)) dead_spaces.push_back(key);
    }
  }
  for (const auto& [recording, space] : dead_spaces) {
    index_.run("DELETE FROM spaces WHERE recording_id=?1 AND space=?2", recording, space);
  }
  std::vector<SnapshotId> dead_snapshots;
  {
    Rows rows = index_.query("SELECT DISTINCT recording_id, number FROM snapshot_files");
    while (rows.next()) {
      const SnapshotId id(rows.integer(0), rows.number(1));
      // The files of a writer's newest snapshot stay known, as mark_live_objects() has it.
      const bool is_newest = live.locked.contains(id.first);
      if (!live.snapshots.contains(id) && !is_newest) dead_snapshots.push_back(id);
    }
  }
  for (const auto& [recording, number] : dead_snapshots) {
    index_.run("DELETE FROM snapshot_files WHERE recording_id=?1 AND number=?2", recording, number);
  }
}

std::vector<Collector::Pack> Collector::list_packs(const std::set<std::int64_t>& locked) {
  std::vector<Pack> packs;
  Rows rows = index_.query("SELECT id, recording_id, state FROM packs");
  while (rows.next()) {
    if (rows.text(2) == "writing" && locked.contains(rows.integer(1))) continue;
    Pack pack;
    pack.id = rows.number(0);
    pack.bytes = size_or_zero(pack_path(store_, pack.id));
    for (const char* table : kRecordTables) {
      Rows sum = index_.query(
          std::string("SELECT coalesce(sum(pack_length), 0) FROM ") + table + " WHERE pack_id=?1",
          pack.id);
      sum.next();
      pack.live += sum.number(0);
    }
    packs.push_back(pack);
  }
  return packs;
}

void Collector::remove_pack(const Pack& pack) {
  index_.run("DELETE FROM packs WHERE id=?1", pack.id);
  unlink_pack(store_, pack.id);
  ++report_.packs_removed;
}

void Collector::remove_orphans() {
  std::error_code none;
  std::filesystem::remove_all(store_ / "same", none);  // notes that are made again when needed
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store_ / "packs", error)) {
    const std::uint64_t number = pack_number(entry.path());
    if (number == 0) continue;
    // Writers make the row before the file.
    if (index_.query("SELECT 1 FROM packs WHERE id=?1", number).next()) continue;
    unlink_pack(store_, number);
    ++report_.packs_removed;
  }
}

void Collector::rewrite_sparse(const std::vector<Pack>& packs) {
  PackSink sink(store_, index_, 0);
  for (const Pack& pack : packs) {
    if (pack.live == 0 || pack.live * 2 >= pack.bytes) continue;
    try {
      rewrite(pack, sink);
    } catch (const CorruptStore& damage) {
      // A damaged pack stays as it is: what is left of it may still be wanted.
      log(Topic::Store, std::string("gc leaves a pack alone: ") + damage.what());
      sink.roll_back();
    } catch (const Error& failure) {
      sink.roll_back();
      if (failure.errno_value() != ENOSPC) throw;
      log(Topic::Store, std::string("gc has no room to copy: ") + failure.what());
      break;
    }
  }
  index_.run("UPDATE packs SET state='sealed' WHERE recording_id=0");
}

void Collector::rewrite(const Pack& pack, PackSink& sink) {
  PackReader reader(store_, pack.id);
  std::vector<Move> moves;
  sink.begin();
  for (const char* table : kRecordTables) {
    Rows rows = index_.query(std::string("SELECT pack_offset, pack_length FROM ") + table +
                                 " WHERE pack_id=?1 ORDER BY pack_offset",
                             pack.id);
    while (rows.next()) {
      const Locator from{pack.id, rows.number(0), rows.number(1)};
      moves.push_back({from, sink.pack().append_copy(reader.whole_record(from))});
    }
  }
  sink.sync();
  Transaction transaction(index_);
  for (const char* table : kRecordTables) {
    const std::string sql = std::string("UPDATE ") + table +
                            " SET pack_id=?3, pack_offset=?4 WHERE pack_id=?1 AND pack_offset=?2";
    for (const Move& move : moves) {
      index_.run(sql, move.from.pack, move.from.offset, move.to.pack, move.to.offset);
    }
  }
  sink.update_index();
  index_.run("DELETE FROM packs WHERE id=?1", pack.id);
  transaction.commit();
  sink.begin();
  unlink_pack(store_, pack.id);
  ++report_.packs_rewritten;
}

std::uint64_t Collector::bytes_on_disk() const {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store_ / "packs", error)) {
    bytes += size_or_zero(entry.path());
  }
  return bytes;
}

}  // namespace icecore::store

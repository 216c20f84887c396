// SPDX-License-Identifier: Apache-2.0
#include "store/index_rebuilder.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/error.h"
#include "store/file_system.h"
#include "store/index.h"
#include "store/pack_inventory.h"
#include "store/recording_lock.h"

namespace icecore::store {
namespace {

using ListPlace = std::pair<std::uint64_t, std::uint64_t>;  // space, sequence

/// One recording as its snapshot records tell of it.
class RecordingRebuilder {
 public:
  RecordingRebuilder(PackInventory& inventory, const StoreUuid& uuid)
      : inventory_(inventory), uuid_(uuid) {
    for (auto at = inventory_.snapshots.lower_bound({uuid, 0});
         at != inventory_.snapshots.end() && at->first.first == uuid; ++at) {
      snapshots_[at->first.second] = &at->second;
    }
    choose_lists();
  }

  /// The newest record.
  [[nodiscard]] const RecordedRecording& newest() const {
    return snapshots_.rbegin()->second->record.recording;
  }
  [[nodiscard]] const std::map<std::uint64_t, const FoundSnapshot*>& snapshots() const {
    return snapshots_;
  }

  void drop_incomplete() {
    for (auto at = snapshots_.begin(); at != snapshots_.end();) {
      const std::string missing = missing_of(at->second->record);
      if (missing.empty()) {
        ++at;
        continue;
      }
      const Locator& locator = at->second->locator;
      inventory_.damages.push_back({pack_path(inventory_.directory, locator.pack).string(),
                                    locator.offset,
                                    "left out, since " + missing + " is missing",
                                    {{newest_name_, at->first}}});
      at = snapshots_.erase(at);
    }
  }

  void insert(SqliteConnection& index, const std::string& name) {
    const RecordedRecording& recording = newest();
    index.run(
        "INSERT INTO recordings (uuid, name, command, root_pid, created_ns, changed_ns, "
        "next_number, "
        "next_space) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        uuid_, name, recording.command, recording.root_pid, recording.created_ns,
        snapshots_.rbegin()->second->record.summary.realtime_ns, next_number_, next_space_);
    const std::int64_t id = index.last_insert_id();
    for (const auto& [number, snapshot] : snapshots_) insert_snapshot_rows(index, id, *snapshot);
    insert_spaces(index, id);
    for (const auto& [place, list] : lists_) insert_page_list(index, id, *list);
  }

 private:
  /// Finds out, for each place in each space, which list was committed.
  void choose_lists() {
    if (snapshots_.empty()) return;
    newest_name_ = newest().name;
    next_number_ = snapshots_.rbegin()->first + 1;
    next_space_ = newest().next_space;
    for (const auto& [id, list] : inventory_.lists) {
      if (list.key.recording != uuid_) continue;
      next_space_ = std::max(next_space_, list.key.space + 1);
      if (was_committed(list)) lists_[{list.key.space, list.key.sequence}] = &list;
    }
  }

  /// A list whose snapshot is there must be the one that the snapshot names. When the snapshot has
  /// been removed nothing speaks against the list; of two the younger counts, since ids ascend.
  [[nodiscard]] bool was_committed(const PendingList& list) const {
    const auto snapshot = snapshots_.find(list.key.number);
    if (snapshot == snapshots_.end()) return list.key.number < next_number_;
    return std::ranges::any_of(snapshot->second->record.spaces, [&](const RecordedSpace& space) {
      return space.space == list.key.space && space.list == list.id;
    });
  }

  [[nodiscard]] std::string missing_segment(std::uint32_t segment) const {
    const auto found = inventory_.segments.find(segment);
    if (found == inventory_.segments.end()) return "segment " + std::to_string(segment);
    for (const std::uint32_t base : found->second.bases) {
      if (!inventory_.segments.contains(base)) return "segment " + std::to_string(base);
    }
    return {};
  }

  [[nodiscard]] std::string missing_of_space(RecordedSpace space) const {
    while (space.space != 0) {
      for (; space.sequence != 0; space.sequence = sequence_below(space.sequence)) {
        const auto list = lists_.find({space.space, space.sequence});
        if (list == lists_.end()) {
          return "page list " + std::to_string(space.sequence) + " of space " +
                 std::to_string(space.space);
        }
        space.parent_space = list->second->key.parent_space;
        space.parent_sequence = list->second->key.parent_sequence;
        for (const std::uint32_t segment : inventory_.segments_of_lists.at(list->second->id)) {
          if (auto missing = missing_segment(segment); !missing.empty()) return missing;
        }
      }
      // The parent's own parent stands in its lists.
      space = {space.parent_space, 0, 0, space.parent_sequence, 0};
    }
    return {};
  }

  [[nodiscard]] std::string missing_of(const SnapshotRecord& record) const {
    for (const RecordedSpace& space : record.spaces) {
      if (auto missing = missing_of_space(space); !missing.empty()) return missing;
    }
    for (const FileId& id : record.files) {
      const auto file = inventory_.files.find(id);
      if (file == inventory_.files.end()) return "a kept file";
      for (const std::uint32_t segment : file->second.segments) {
        if (auto missing = missing_segment(segment); !missing.empty()) return missing;
      }
    }
    return {};
  }

  static void insert_snapshot_rows(SqliteConnection& index, std::int64_t id,
                                   const FoundSnapshot& snapshot) {
    const std::uint64_t number = snapshot.record.summary.key.number;
    insert_snapshot(index, id, snapshot.record.summary, snapshot.locator);
    for (const ProcessRow& process : snapshot.record.processes) {
      insert_process(index, id, number, process);
    }
    for (const FileId& file : snapshot.record.files) {
      index.run("INSERT INTO snapshot_files (recording_id, number, content) VALUES (?1, ?2, ?3)",
                id, number, file.hash);
    }
  }

  struct SpaceRow {
    RecordedSpace space;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  void insert_spaces(SqliteConnection& index, std::int64_t id) const {
    std::map<std::uint64_t, SpaceRow> rows;
    for (const auto& [number, snapshot] : snapshots_) {
      for (const RecordedSpace& space : snapshot->record.spaces) {
        SpaceRow& row = rows[space.space];
        if (row.first == 0) row.first = number;
        row.last = number;
        row.space = space;
      }
    }
    // Spaces that only live on as parents of others: no snapshot sees them itself.
    for (const auto& [place, list] : lists_) {
      const auto [row, is_new] = rows.try_emplace(place.first);
      if (!is_new) continue;
      row->second.space = {place.first, list->key.parent_space, list->key.parent_sequence, 0, 0};
      row->second.first = list->key.number;
      row->second.last = list->key.number - 1;
    }
    const std::uint64_t newest_number = snapshots_.rbegin()->first;
    for (const auto& [number, row] : rows) {
      index.run(
          "INSERT INTO spaces (recording_id, space, parent_space, parent_sequence, first_number, "
          "ended_number) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
          id, number, row.space.parent_space, row.space.parent_sequence, row.first, row.last + 1);
      if (row.last == newest_number) {
        index.run("UPDATE spaces SET ended_number=NULL WHERE recording_id=?1 AND space=?2", id,
                  number);
      }
    }
  }

  PackInventory& inventory_;
  StoreUuid uuid_;
  std::string newest_name_;
  std::uint64_t next_number_ = 1;
  std::uint64_t next_space_ = 1;
  std::map<std::uint64_t, const FoundSnapshot*> snapshots_;
  std::map<ListPlace, const PendingList*> lists_;
};

std::string unused_recording_name(SqliteConnection& index, const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; index.query("SELECT 1 FROM recordings WHERE name=?1", name).next(); ++i) {
    name = wanted + "-old" + std::to_string(i);
  }
  return name;
}

void insert_objects(SqliteConnection& index, const PackInventory& inventory) {
  for (const auto& [id, bytes] : inventory.packs) {
    index.run("INSERT INTO packs (id, recording_id, state, bytes) VALUES (?1, 0, 'sealed', ?2)", id,
              bytes);
  }
  for (const auto& [id, segment] : inventory.segments) insert_segment(index, segment);
  for (const auto& [id, file] : inventory.files) insert_file(index, file);
  // Ids in packs that were never committed count, too: no two records may have one.
  index.run("UPDATE store SET next_object=?1", inventory.last_object + std::uint64_t{1});
}

void insert_recordings(SqliteConnection& index, PackInventory& inventory, RebuildReport& report) {
  std::set<StoreUuid> uuids;
  for (const auto& [key, snapshot] : inventory.snapshots) uuids.insert(key.first);
  std::vector<std::unique_ptr<RecordingRebuilder>> recordings;
  for (const StoreUuid& uuid : uuids) {
    auto recording = std::make_unique<RecordingRebuilder>(inventory, uuid);
    recording->drop_incomplete();
    if (!recording->snapshots().empty()) recordings.push_back(std::move(recording));
  }
  // The younger of two with one name has it: the older one had been removed.
  std::ranges::sort(recordings, std::ranges::greater{},
                    [](const auto& recording) { return recording->newest().created_ns; });
  for (const auto& recording : recordings) {
    recording->insert(index, unused_recording_name(index, recording->newest().name));
    ++report.recordings;
    report.snapshots += recording->snapshots().size();
  }
}

void require_no_writers(const std::filesystem::path& store) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store / "locks", error)) {
    if (entry.path().extension() != ".recording" || !is_locked(entry.path())) continue;
    Error locked("rebuild the index of " + store.string() + ": process " +
                 lock_owner(entry.path()) + " is writing " + entry.path().stem().string());
    throw locked.set_exit_status(ExitStatus::Locked);
  }
}

/// Puts the new index in the place of the old one, which stays beside it with its write-ahead log.
void replace_index(const std::filesystem::path& store, const std::filesystem::path& made) {
  const std::string current = index_path(store).string();
  for (const char* suffix : {"", "-wal"}) {
    // SQLite finds the log of index.db.old under index.db.old-wal.
    const std::string from = current + suffix;
    const std::string to = current + ".old" + suffix;
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) throw_errno("rename " + from);
  }
  ::unlink((current + "-shm").c_str());
  if (::rename(made.c_str(), current.c_str()) != 0) throw_errno("rename " + made.string());
  sync_directory(store);
}

}  // namespace

IndexRebuilder::IndexRebuilder(std::filesystem::path store) : store_(std::move(store)) {}

RebuildReport IndexRebuilder::run() {
  std::error_code error;
  if (!std::filesystem::is_directory(store_ / "packs", error)) {
    Error none("rebuild the index of " + store_.string() + ": there are no packs");
    throw none.set_exit_status(ExitStatus::NoSuchStore);
  }
  const FileLock lock = FileLock::wait_for(collector_lock_path(store_));
  require_no_writers(store_);
  PackInventory inventory = take_inventory(store_);
  const std::filesystem::path made = index_path(store_).string() + ".new";
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((made.string() + suffix).c_str());
  RebuildReport report;
  {
    const auto index = create_index_file(made, inventory.store.value_or(random_uuid()));
    Transaction transaction(*index);
    insert_objects(*index, inventory);
    insert_recordings(*index, inventory, report);
    transaction.commit();
  }  // closing it puts its log into the file
  replace_index(store_, made);
  report.damages = std::move(inventory.damages);
  return report;
}

}  // namespace icecore::store

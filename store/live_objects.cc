// SPDX-License-Identifier: Apache-2.0
#include "store/live_objects.h"

#include <algorithm>

#include "store/corrupt_store.h"
#include "store/recording_lock.h"

namespace icecore::store {
namespace {

class Marker {
 public:
  Marker(const std::filesystem::path& store, SqliteConnection& index)
      : store_(store), index_(index), objects_(store, index) {}

  LiveObjects run() {
    live_.snapshots = leased_snapshots(store_);
    Rows snapshots = index_.query("SELECT recording_id, number FROM snapshots");
    while (snapshots.next()) live_.snapshots.emplace(snapshots.integer(0), snapshots.number(1));
    Rows recordings = index_.query("SELECT id, name, next_number FROM recordings");
    while (recordings.next()) {
      const auto id = recordings.integer(0);
      if (is_locked(recording_lock_path(store_, recordings.text(1)))) {
        live_.locked.insert(id);
        // The files of its newest snapshot are what its writer will name again.
        mark_files_of({id, recordings.number(2) - 1});
        mark_pins(id);
      }
      mark_recording(id);
    }
    // Readers may have a removed recording open.
    for (const auto& [id, number] : live_.snapshots) {
      if (!marked_recordings_.contains(id)) mark_recording(id);
      mark_files_of({id, number});
    }
    for (const std::uint32_t list : live_.lists) mark_segments_of_list(list);
    mark_segments_of_files();
    mark_bases();
    return std::move(live_);
  }

 private:
  void mark_recording(std::int64_t id) {
    marked_recordings_.insert(id);
    const RecordingGraph graph(index_, id);
    for (const auto& [number, space] : graph.spaces()) mark_space(id, graph, number, space);
  }

  void mark_space(std::int64_t id, const RecordingGraph& graph, std::uint64_t number,
                  const RecordingGraph::Space& space) {
    const auto mark = [&](std::uint64_t sequence) {
      live_.spaces.emplace(id, number);
      graph.walk(number, sequence, [&](std::uint64_t at, std::uint64_t, std::uint32_t list) {
        live_.spaces.emplace(id, at);
        if (list == 0) return true;
        return live_.lists.insert(list).second;  // what is below it is marked already, too
      });
    };
    const auto first = live_.snapshots.lower_bound({id, space.first_number});
    for (auto at = first; at != live_.snapshots.end() && at->first == id; ++at) {
      if (!space.is_seen_by(at->second)) break;
      mark(space.sequence_at(at->second));
    }
    // A living writer goes on from here, even when the snapshot itself has been removed.
    if (live_.locked.contains(id) && !space.ended_number) mark(space.last_sequence());
  }

  void mark_files_of(SnapshotId snapshot) {
    mark_files(
        index_.query("SELECT content FROM snapshot_files WHERE recording_id=?1 AND number=?2",
                     snapshot.first, snapshot.second));
  }

  void mark_pins(std::int64_t id) {
    mark_files(index_.query("SELECT content FROM file_pins WHERE recording_id=?1", id));
  }

  void mark_files(Rows rows) {
    while (rows.next()) {
      FileId file;
      if (rows.blob(0).size() != file.hash.size()) continue;
      std::ranges::copy(rows.blob(0), file.hash.begin());
      live_.files.insert(file);
    }
  }

  void mark_segments_of_list(std::uint32_t list) {
    for (const std::uint32_t segment : segments_of_list(objects_, list)) {
      live_.segments.insert(segment);
    }
  }

  void mark_segments_of_files() {
    for (const FileId& file : live_.files) {
      Rows rows = index_.query("SELECT segment_id FROM file_segments WHERE content=?1", file.hash);
      while (rows.next()) live_.segments.insert(rows.number32(0));
    }
  }

  /// A base is never a delta itself, so one step is enough.
  void mark_bases() {
    const std::vector<std::uint32_t> marked(live_.segments.begin(), live_.segments.end());
    for (const std::uint32_t segment : marked) {
      Rows rows = index_.query("SELECT base_id FROM segment_bases WHERE segment_id=?1", segment);
      while (rows.next()) live_.segments.insert(rows.number32(0));
    }
  }

  const std::filesystem::path& store_;
  SqliteConnection& index_;
  StoredObjects objects_;
  LiveObjects live_;
  std::set<std::int64_t> marked_recordings_;
};

}  // namespace

std::vector<std::uint32_t> segments_of_list(StoredObjects& objects, std::uint32_t list) {
  const auto find = [&]() -> std::optional<Locator> {
    Rows rows = objects.index().query(
        "SELECT pack_id, pack_offset, pack_length FROM page_lists WHERE id=?1", list);
    if (!rows.next()) return std::nullopt;
    return Locator{rows.number(0), rows.number(1), rows.number(2)};
  };
  const std::string what = "page list " + std::to_string(list);
  const LoadedRecord loaded = objects.load(find, RecordType::PageList, what);
  try {
    ByteReader reader(loaded.record.body);
    (void)decode_page_list_key(reader);
    return decode_run_segments(reader);
  } catch (const CorruptStore&) {
    throw;
  } catch (const Error& error) {
    throw CorruptStore(loaded.pack->file(), loaded.record.locator.offset,
                       what + ": " + error.what());
  }
}

LiveObjects mark_live_objects(const std::filesystem::path& store, SqliteConnection& index) {
  return Marker(store, index).run();
}

}  // namespace icecore::store

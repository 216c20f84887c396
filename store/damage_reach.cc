// SPDX-License-Identifier: Apache-2.0
#include "store/damage_reach.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"
#include "store/file_manifest.h"
#include "store/live_objects.h"
#include "store/recording_graph.h"

namespace icecore::store {
namespace {

template <typename Value>
bool meet(const std::set<Value>& left, const std::set<Value>& right) {
  return std::ranges::any_of(left, [&](const Value& value) { return right.contains(value); });
}

class Reach {
 public:
  explicit Reach(StoredObjects& objects) : objects_(objects), index_(objects.index()) {}

  /// Everything that one snapshot needs.
  LostObjects needs_of(std::int64_t recording, std::uint64_t number) {
    LostObjects needs;
    needs.snapshots.emplace(recording, number);
    auto& graph = graphs_[recording];
    if (graph == nullptr) graph = std::make_unique<RecordingGraph>(index_, recording);
    for (const auto& [id, space] : graph->spaces()) {
      if (!space.is_seen_by(number)) continue;
      graph->walk(id, space.sequence_at(number),
                  [&](std::uint64_t, std::uint64_t, std::uint32_t list) {
                    return needs.lists.insert(list).second;
                  });
    }
    for (const std::uint32_t list : needs.lists) {
      const auto& segments = segments_of(list);
      needs.segments.insert(segments.begin(), segments.end());
    }
    add_files(recording, number, needs);
    return needs;
  }

 private:
  /// The segments of a list and the bases of those; none for a list that is damaged itself.
  const std::set<std::uint32_t>& segments_of(std::uint32_t list) {
    const auto [known, is_new] = segments_.try_emplace(list);
    if (!is_new) return known->second;
    try {
      for (const std::uint32_t segment : segments_of_list(objects_, list)) {
        known->second.insert(segment);
        Rows rows = index_.query("SELECT base_id FROM segment_bases WHERE segment_id=?1", segment);
        while (rows.next()) known->second.insert(rows.number32(0));
      }
    } catch (const Error&) {
      known->second.clear();
    }
    return known->second;
  }

  void add_files(std::int64_t recording, std::uint64_t number, LostObjects& needs) {
    Rows rows = index_.query(
        "SELECT content, segment_id FROM snapshot_files LEFT JOIN file_segments USING (content) "
        "WHERE "
        "recording_id=?1 AND number=?2",
        recording, number);
    while (rows.next()) {
      needs.files.insert(to_file_id(rows.blob(0)));
      if (!rows.is_null(1)) needs.segments.insert(rows.number32(1));
    }
  }

  StoredObjects& objects_;
  SqliteConnection& index_;
  std::map<std::int64_t, std::unique_ptr<RecordingGraph>> graphs_;
  std::map<std::uint32_t, std::set<std::uint32_t>> segments_;
};

}  // namespace

std::vector<std::vector<SnapshotKey>> snapshots_needing(StoredObjects& objects,
                                                        const std::vector<LostObjects>& lost) {
  std::vector<std::vector<SnapshotKey>> result(lost.size());
  if (lost.empty()) return result;
  Reach reach(objects);
  Rows rows = objects.index().query(
      "SELECT recording_id, number, name FROM snapshots JOIN recordings ON "
      "recordings.id=recording_id "
      "ORDER BY name, number");
  while (rows.next()) {
    const LostObjects needs = reach.needs_of(rows.integer(0), rows.number(1));
    for (std::size_t i = 0; i < lost.size(); ++i) {
      if (meet(lost[i].segments, needs.segments) || meet(lost[i].lists, needs.lists) ||
          meet(lost[i].files, needs.files) || meet(lost[i].snapshots, needs.snapshots)) {
        result[i].push_back({rows.text(2), rows.number(1)});
      }
    }
  }
  return result;
}

}  // namespace icecore::store

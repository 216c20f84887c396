// SPDX-License-Identifier: Apache-2.0
#include "store/recording_graph.h"

#include "store/page_list.h"

namespace icecore::store {

std::uint64_t RecordingGraph::Space::sequence_at(std::uint64_t number) const {
  // Numbers ascend with sequences; from the end, since most questions are about late snapshots.
  for (auto list = lists.rbegin(); list != lists.rend(); ++list) {
    if (list->second.number <= number) return list->first;
  }
  return 0;
}

RecordingGraph::RecordingGraph(SqliteConnection& index, std::int64_t recording) {
  {
    Rows rows = index.query(
        "SELECT space, parent_space, parent_sequence, first_number, ended_number "
        "FROM spaces WHERE recording_id=?1",
        recording);
    while (rows.next()) {
      Space& space = spaces_[rows.number(0)];
      space.parent_space = rows.number(1);
      space.parent_sequence = rows.number(2);
      space.first_number = rows.number(3);
      if (!rows.is_null(4)) space.ended_number = rows.number(4);
    }
  }
  Rows rows = index.query(
      "SELECT space, sequence, id, number FROM page_lists WHERE recording_id=?1", recording);
  while (rows.next()) {
    const auto space = spaces_.find(rows.number(0));
    if (space == spaces_.end()) continue;
    space->second.lists[rows.number(1)] = {rows.number32(2), rows.number(3)};
  }
}

void RecordingGraph::walk(
    std::uint64_t space, std::uint64_t sequence,
    const std::function<bool(std::uint64_t, std::uint64_t, std::uint32_t)>& visit) const {
  for (auto at = spaces_.find(space); at != spaces_.end(); at = spaces_.find(space)) {
    for (; sequence != 0; sequence = sequence_below(sequence)) {
      const auto list = at->second.lists.find(sequence);
      const std::uint32_t id = list == at->second.lists.end() ? 0 : list->second.id;
      if (!visit(space, sequence, id)) return;
    }
    space = at->second.parent_space;
    sequence = at->second.parent_sequence;
  }
}

}  // namespace icecore::store

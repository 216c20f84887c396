// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "store/sqlite_connection.h"

namespace icecore::store {

/// Which page lists the snapshots of one recording need, as the index has it at one instant.
class RecordingGraph {
 public:
  struct Space {
    std::uint64_t parent_space = 0;
    std::uint64_t parent_sequence = 0;
    std::uint64_t first_number = 0;
    std::optional<std::uint64_t> ended_number;
    /// By sequence: the list's id and the snapshot that wrote it. Some may be gone.
    struct List {
      std::uint32_t id = 0;
      std::uint64_t number = 0;
    };
    std::map<std::uint64_t, List> lists;

    [[nodiscard]] bool is_seen_by(std::uint64_t number) const {
      return first_number <= number && (!ended_number || number < *ended_number);
    }
    /// The sequence that snapshot `number` begins at; 0 when there is nothing of its own yet.
    [[nodiscard]] std::uint64_t sequence_at(std::uint64_t number) const;
    [[nodiscard]] std::uint64_t last_sequence() const {
      return lists.empty() ? 0 : lists.rbegin()->first;
    }
  };

  RecordingGraph(SqliteConnection& index, std::int64_t recording);

  [[nodiscard]] const std::map<std::uint64_t, Space>& spaces() const { return spaces_; }
  /// Calls `visit(space, sequence, list id)` for each list that makes up `space` at `sequence`,
  /// down through its parents, until visit returns false. The id is 0 for a list that is gone.
  void walk(std::uint64_t space, std::uint64_t sequence,
            const std::function<bool(std::uint64_t, std::uint64_t, std::uint32_t)>& visit) const;

 private:
  std::map<std::uint64_t, Space> spaces_;
};

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/stored_snapshot.h"
#include "snapshot/symbols/variables.h"

namespace icecore::cli {

/// One thing that came, went or changed: `before` is empty for what came, `after` for what went.
struct Change {
  std::string name;
  std::string before;
  std::string after;
};

/// Changed memory of one mapping.
struct MemoryChange {
  std::string mapping;  ///< as show --all prints it
  std::uint64_t start = 0;
  std::uint64_t pages = 0;
  std::uint64_t bytes = 0;               ///< bytes that differ
  std::vector<std::uint64_t> addresses;  ///< the pages, ascending
};

struct ThreadDiff {
  int tid = 0;
  std::string name;
  std::vector<Change> changes;    ///< state, system call, pending signals
  std::vector<Change> registers;  ///< general registers by name; "vector" for any of the rest
};

struct ProcessDiff {
  const model::Process* before = nullptr;  ///< both are set
  const model::Process* after = nullptr;
  std::vector<Change> identity;  ///< executable, working directory, credentials ...
  std::vector<Change> threads;   ///< that came or went
  std::vector<ThreadDiff> thread_diffs;
  std::vector<Change> mappings;
  std::vector<Change> descriptors;
  std::vector<MemoryChange> memory;
  std::vector<symbols::VariableChange> variables;  ///< globals and statics, by name
  /// Why `memory` could not be compared; empty when it was.
  std::string memory_unknown;

  [[nodiscard]] bool empty() const;
};

struct SnapshotDiff {
  std::vector<Change> processes;           ///< that came or went
  std::vector<ProcessDiff> process_diffs;  ///< only those that changed
};

/// What differs between two snapshots. Processes are the same when pid and start time are.
[[nodiscard]] SnapshotDiff diff_snapshots(const snapshot::StoredSnapshot& before,
                                          const snapshot::StoredSnapshot& after);

}  // namespace icecore::cli

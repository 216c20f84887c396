// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/pack_format.h"
#include "store/types.h"

namespace icecore::store {

/// The recording as it was when the snapshot was written.
struct RecordedRecording {
  StoreUuid uuid{};
  std::string name;
  std::string command;
  std::int32_t root_pid = 0;
  std::int64_t created_ns = 0;
  std::uint64_t next_space = 1;
};

/// One space as the snapshot sees it.
struct RecordedSpace {
  std::uint64_t space = 0;
  std::uint64_t parent_space = 0;
  std::uint64_t parent_sequence = 0;
  std::uint64_t sequence = 0;  ///< 0: nothing of its own yet
  std::uint32_t list = 0;      ///< the page list of that sequence
};

/// Everything that the index knows of a snapshot, and the model's bytes: the last record of a
/// snapshot in its pack, so that the index can be made anew.
struct SnapshotRecord {
  RecordedRecording recording;
  SnapshotSummary summary;
  std::vector<ProcessRow> processes;
  std::vector<RecordedSpace> spaces;
  std::vector<FileId> files;
  std::vector<std::byte> model;
};

[[nodiscard]] std::vector<std::byte> encode(const SnapshotRecord& record,
                                            std::span<const std::byte> model);
/// Throws Error on bytes that encode() does not write.
[[nodiscard]] SnapshotRecord decode_snapshot_record(std::span<const std::byte> body);

}  // namespace icecore::store

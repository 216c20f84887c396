// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "snapshot/capture/tree_capture.h"
#include "store/recording_writer.h"

namespace icecore::snapshot {

/// The last of the five steps, while the tree runs again: pages, files and the record go into the
/// store. Runs on one thread, not necessarily the tracer's.
class SnapshotStorer {
 public:
  SnapshotStorer(store::RecordingWriter& writer, std::string tag)
      : writer_(writer), tag_(std::move(tag)) {}

  /// Returns the committed number. When it throws, nothing of this snapshot is kept.
  std::uint64_t store(CapturedSnapshot& captured, const std::string& tag);

 private:
  /// Appends the spaces to `living`.
  static void store_kept_files(store::SnapshotWriter& snapshot, CapturedSnapshot& captured,
                               std::vector<store::SpaceId>& living);
  void store_files(store::SnapshotWriter& snapshot, CapturedSnapshot& captured);
  void store_debug_file(store::SnapshotWriter& snapshot, int fd, model::MappedFile& file);

  struct DebugFile {
    std::string path;
    std::string content;
  };
  store::RecordingWriter& writer_;
  std::string tag_;
  std::uint64_t last_number_ = 0;
  std::map<std::string, DebugFile> debug_files_;  ///< by the file's content
  std::map<std::string, std::string> build_ids_;  ///< by the file's content
};

}  // namespace icecore::snapshot

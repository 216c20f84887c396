// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/kept_candidates.h"
#include "snapshot/capture/memory_buffer.h"
#include "snapshot/capture/memory_ranges.h"
#include "snapshot/model/snapshot.pb.h"
#include "store/types.h"

namespace icecore::snapshot {

/// Which contents of open files a recording keeps beside what is mapped.
struct FileKeeping {
  /// Also those that the tree may write: opened for writing, or mapped shared and writable. Deleted
  /// files and memfds are kept in any case: nobody else has them.
  bool written = false;
  /// A file that holds more bytes of data is kept by identity only; a Limitation says so.
  std::uint64_t limit = std::uint64_t{64} << 20U;
  /// What was changed longer ago than this has other times after another change: coarser than any
  /// granularity of times in use.
  std::chrono::nanoseconds settled = std::chrono::seconds(2);
};

/// The contents of files as they were in the moment of the snapshot, each as a line of pages
/// through the recording, so that the store holds what differs from snapshot to snapshot.
///
/// A file that changed is read whole, and the store compares. Not in the pause where that can be
/// helped: a file that nobody has written for a while is only opened; it is read when the tree runs
/// again, and when its size and times are the same afterwards, then nobody has written it between.
/// Small files, those written just now and those mapped for writing (which changes no times) are
/// read in the pause.
class KeptFiles {
 public:
  KeptFiles(std::function<store::SpaceId()> new_space, FileKeeping keeping)
      : new_space_(std::move(new_space)), keeping_(keeping) {}

  struct Delta {
    store::SpaceId space{};
    std::vector<store::PageRun> runs;
  };
  class Pending;

  /// While frozen, when descriptors and memory are known: fills Snapshot.kept_files.
  std::vector<Delta> capture(model::Snapshot& snapshot, PageBuffer& buffer);
  /// What the last capture() left to be read.
  [[nodiscard]] std::vector<Pending> take_pending() { return std::exchange(pending_, {}); }
  /// The last captured snapshot was not stored: the next must hold everything again.
  void forget();

 private:
  struct Line {
    store::SpaceId space{};
    model::FileIdentity seen;
    /// Whether `seen` was old enough then for any later change to show in it.
    bool settled = false;
    bool stored = false;  ///< the store has the content of `seen`
    bool changed_between = false;
    PageSet present;
    PageSet stored_before;
    std::uint64_t last_seen = 0;
  };
  void capture_file(const KeptCandidate& candidate, model::Snapshot& snapshot, PageBuffer& buffer,
                    std::vector<Delta>& deltas);
  Line& line_of(const model::FileIdentity& identity);

  std::function<store::SpaceId()> new_space_;
  FileKeeping keeping_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<Line>> lines_;
  std::vector<Pending> pending_;
  std::uint64_t generation_ = 0;
};

/// A file to be read when the tree runs again, on whichever thread stores the snapshot.
class KeptFiles::Pending {
 public:
  [[nodiscard]] store::SpaceId space() const { return line_->space; }
  /// What changed since the snapshot before; nullopt when the file was written meanwhile, and its
  /// content in the moment of the snapshot is lost.
  [[nodiscard]] std::optional<std::vector<store::PageRun>> read(PageBuffer& buffer) const;

 private:
  friend class KeptFiles;
  std::shared_ptr<Line> line_;
  UniqueFd fd_;
  PageSet before_;
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/model/snapshot.pb.h"
#include "store/recording_writer.h"

namespace icecore::snapshot {

/// The files behind mappings: executables, libraries, data. In the pause each new one is only
/// opened (so that it can be read later even if it is deleted or replaced); its content is kept in
/// the store once, after the tree runs again.
class MappedFiles {
 public:
  /// Larger files are kept by identity only; a Limitation says so.
  static constexpr std::uint64_t kMaxBytes = 1ULL << 30U;

  /// While frozen: fills Snapshot.mapped_files and Mapping.file for file mappings that are not
  /// shared memory, and the executable's.
  void collect(model::Snapshot& snapshot);
  /// While frozen, after collect() ahead of it: brings up to date what is told of the files. False
  /// when a mapping may have got another name; all mappings must then be read anew.
  [[nodiscard]] bool refresh(model::Snapshot& snapshot);
  /// The same as collect() for the processes from `first` on, in addition.
  void collect_more(model::Snapshot& snapshot, int first);

  /// After the pause: opened files and their place in Snapshot.mapped_files.
  struct Pending {
    int index;
    std::shared_ptr<const UniqueFd> fd;
  };
  [[nodiscard]] std::vector<Pending> pending() const { return pending_; }

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct File {
    std::shared_ptr<const UniqueFd> fd;
    std::string path;
    std::string link;  ///< where it lay when it was collected, as the kernel names it now
    int index = -1;    ///< in the snapshot being made
    struct ::stat status {};
    bool regular = false;  ///< and could be asked for its status, which is that of this snapshot
    std::uint64_t last_seen = 0;
  };
  void collect_process(model::Process& process, model::Snapshot& snapshot);
  File* open(const model::Process& process, const model::Mapping& mapping);

  std::map<Key, File> files_;
  std::vector<Pending> pending_;
  std::uint64_t generation_ = 0;
  bool all_certain_ = true;  ///< each mapping that collect() saw is of a file named as it says
};

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/capture/memory_copy.h"
#include "snapshot/capture/memory_ranges.h"
#include "snapshot/model/snapshot.pb.h"
#include "store/types.h"

namespace icecore::snapshot {

/// Memory that mappings share: /dev/zero, memfd, SysV, tmpfs, hugetlb, regular files mapped
/// writable. Each object is stored once, however many processes map it. It is read whole in every
/// snapshot and the store keeps what differs: write marks of the mappings known to us would miss a
/// process that mapped, wrote and went between two snapshots.
class SharedMemory {
 public:
  explicit SharedMemory(std::function<store::SpaceId()> new_space)
      : new_space_(std::move(new_space)) {}

  /// Objects larger than this are not held (a Limitation says so).
  static constexpr std::uint64_t kMaxObjectBytes = 1ULL << 30U;

  struct Delta {
    store::SpaceId space{};
    std::vector<store::PageRun> runs;
  };
  /// Whether capture() would find anything.
  [[nodiscard]] static bool is_used(const model::Snapshot& snapshot);
  /// While frozen: fills Mapping.shared_space and Snapshot.shared_objects, and copies the pages.
  /// File mappings that nobody can write through are left to MappedFiles.
  std::vector<Delta> capture(model::Snapshot& snapshot, PageBuffer& buffer);
  void forget();

 private:
  struct Object {
    store::SpaceId space{};
    PageSet present;        ///< what the store may hold of it
    PageSet stored_before;  ///< the same one snapshot earlier
    std::uint64_t last_seen = 0;
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct User {
    const model::Process* process;
    model::Mapping* mapping;
  };
  Delta capture_object(Object& object, const std::vector<User>& users, model::Snapshot& snapshot,
                       PageBuffer& buffer);

  std::function<store::SpaceId()> new_space_;
  std::map<Key, Object> objects_;
  std::uint64_t generation_ = 0;
};

}  // namespace icecore::snapshot

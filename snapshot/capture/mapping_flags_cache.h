// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::snapshot {

/// The VmFlags of mappings come from /proc/PID/smaps, which walks every page table: too dear for
/// the pause. They are read outside it and remembered here, so that the pause knows which mappings
/// asked not to be dumped. A mapping is known by its start and protection; an madvise() that only
/// changes flags is seen at the next reading.
class MappingFlagsCache {
 public:
  /// Fills flags, page size and content of the mappings that are known; true when all were.
  bool apply(model::Process& process) const;
  /// Takes over what was just read of `process`.
  void remember(const model::Process& process);
  /// Snapshots after which flags are read anew even if no mapping came or went.
  static constexpr unsigned kMaxAge = 16;
  [[nodiscard]] bool is_fresh(const model::Process& process) const;
  void begin_snapshot() { ++generation_; }

 private:
  struct Entry {
    std::uint64_t end = 0;
    std::string flags;
    std::uint64_t page_size = 0;
    std::vector<std::uint64_t> guards;
    model::Mapping::Content content{};
  };
  struct Process {
    std::uint64_t start_time = 0;
    unsigned read_at = 0;
    std::map<std::uint64_t, Entry> mappings;
  };
  std::map<int, Process> processes_;
  unsigned generation_ = 0;
};

}  // namespace icecore::snapshot

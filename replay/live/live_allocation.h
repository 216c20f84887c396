// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "gdbstub/target/allocation.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Memory of a client's own in a living process, mapped by one of its stopped threads. It stays
/// until the client gives it back, or the process ends.
class LiveAllocation : public gdbstub::Allocation {
 public:
  explicit LiveAllocation(LiveTree& tree) : tree_(tree) {}
  std::uint64_t allocate(std::int32_t pid, const gdbstub::AllocationRequest& request) override;
  void release(std::int32_t pid, std::uint64_t address) override;

 private:
  std::int64_t call(std::int32_t pid, std::int64_t number,
                    const std::array<std::uint64_t, 6>& arguments);

  LiveTree& tree_;
  std::map<std::pair<std::int32_t, std::uint64_t>, std::uint64_t> sizes_;
};

}  // namespace icecore::replay

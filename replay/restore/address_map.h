// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

struct AddressRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string name{};
};

/// What is mapped in a process now, ascending.
[[nodiscard]] std::vector<AddressRange> mapped_now(int pid);

/// What the process is to have, ascending.
[[nodiscard]] std::vector<AddressRange> mapped_in(const model::Process& process);

/// The lowest address from which `size` bytes overlap nothing of `taken`, with a page to spare on
/// both sides so that nothing is merged.
[[nodiscard]] std::uint64_t find_hole(std::vector<AddressRange> taken, std::uint64_t size);

[[nodiscard]] bool overlaps(const std::vector<AddressRange>& ranges, std::uint64_t start,
                            std::uint64_t end);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/auxv.h"

#include <elf.h>

#include <array>
#include <cstring>

namespace icecore::snapshot::proc {

std::optional<std::uint64_t> auxv_value(std::string_view bytes, std::uint64_t type) {
  std::array<std::uint64_t, 2> entry{};
  for (; bytes.size() >= sizeof entry; bytes.remove_prefix(sizeof entry)) {
    std::memcpy(entry.data(), bytes.data(), sizeof entry);
    if (entry[0] == type) return entry[1];
    if (entry[0] == AT_NULL) break;
  }
  return std::nullopt;
}

}  // namespace icecore::snapshot::proc

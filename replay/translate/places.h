// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "replay/translate/execution_point.h"

namespace icecore::replay {

/// What is to happen at an address. Blocks begin there, and none goes past.
struct PlaceActions {
  bool stop = false;
  std::optional<std::size_t> record{};      ///< index of the visits in CacheLayout
  std::optional<user_regs_struct> match{};  ///< stops with these registers only,
  std::vector<MemoryWord> words{};          ///< and with these words
};
using PlaceMap = std::map<std::uint64_t, PlaceActions>;

}  // namespace icecore::replay

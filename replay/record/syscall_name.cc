// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "replay/record/syscall_rules.h"

namespace icecore::replay {
namespace {

struct Name {
  std::int64_t number;
  const char* name;
};

constexpr std::array kNames = std::to_array<Name>({
#include "replay/record/syscall_rows.inc"
});

}  // namespace

std::string syscall_name(std::int64_t number) {
  const auto* found = std::ranges::find(kNames, number, &Name::number);
  return found != kNames.end() ? found->name : "system call " + std::to_string(number);
}

}  // namespace icecore::replay

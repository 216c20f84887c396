// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gdbstub/target/target.h"

namespace icecore::gdbstub {

struct ProcessMemory {
  Target& target;
  std::int32_t pid = 0;
};

/// What C's printf makes of `format` with whole numbers and addresses of strings as arguments:
/// conversions d i u x X o c s p with flags, width, precision and the sizes hh h l ll j z t. Others
/// stand in the text as they are written. Never hands the format to printf.
[[nodiscard]] std::string format_agent_text(std::string_view format,
                                            std::span<const std::uint64_t> arguments,
                                            const ProcessMemory& memory);

}  // namespace icecore::gdbstub

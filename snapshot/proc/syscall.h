// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace icecore::snapshot::proc {

/// /proc/PID/task/TID/syscall. While a thread runs on a CPU the kernel tells nothing at all.
struct SyscallLine {
  enum class Where { Running, UserCode, SystemCall };
  Where where = Where::Running;
  std::int64_t number = -1;
  std::array<std::uint64_t, 6> arguments{};
  std::uint64_t stack_pointer = 0;
  std::uint64_t program_counter = 0;
};

SyscallLine parse_syscall(std::string_view text);

}  // namespace icecore::snapshot::proc

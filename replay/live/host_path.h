// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace icecore::replay {

// What a path that a client asks for means, by its text alone.

/// "/proc/PID/NAME" or "/proc/PID/task/TID/NAME", NAME being one part, neither "." nor "..".
struct ProcPath {
  std::int32_t pid = 0;
  std::int32_t tid = 0;  ///< 0 without "task"
};
[[nodiscard]] std::optional<ProcPath> parse_proc_path(std::string_view path);

/// Debug information and scripts that debuggers look for beside programs and libraries: by the name
/// that was asked for, and by the one that a symbolic link has led to.
[[nodiscard]] bool is_for_debuggers(std::string_view path);

}  // namespace icecore::replay

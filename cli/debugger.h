// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace icecore::cli {

/// The full path of `program`, as the shell would find it along $PATH.
[[nodiscard]] std::optional<std::string> find_program(const std::string& program);

/// gdb, or one that works as it does (gdb-multiarch).
[[nodiscard]] std::optional<std::string> find_gdb();
/// lldb, or the newest lldb-N that Debian packages beside it.
[[nodiscard]] std::optional<std::string> find_lldb();

/// What `program ARGS` prints on stdout, its first line; empty when it cannot be run.
[[nodiscard]] std::string first_line_of(const std::vector<std::string>& command);

}  // namespace icecore::cli

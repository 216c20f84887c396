// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::cli {

/// The command line as a person would type it, else "[comm]".
[[nodiscard]] std::string command_text(const model::Process& process);

/// The words of a zero-separated list (command line, environment).
[[nodiscard]] std::vector<std::string> zero_separated(const std::string& bytes);

/// One line per process, children below their parents and further in.
[[nodiscard]] std::string process_tree_text(const model::Snapshot& snapshot);

/// "zombie, exit status 3" ...; empty for a process that simply lives.
[[nodiscard]] std::string state_text(const model::Process& process);

/// "SIGSEGV", "signal 70"
[[nodiscard]] std::string signal_text(int signal);

}  // namespace icecore::cli

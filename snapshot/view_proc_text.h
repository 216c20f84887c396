// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "snapshot/stored_snapshot.h"

namespace icecore::snapshot {

/// The text that /proc/PID/NAME (or task/TID/NAME) had, written again from the model: maps, smaps,
/// stat, status, cmdline, environ, auxv, comm, coredump_filter, cgroup. nullopt for another name.
[[nodiscard]] std::optional<std::string> proc_file_text(const StoredSnapshot& snapshot,
                                                        const model::Process& process,
                                                        const model::Thread& thread,
                                                        std::string_view name);

/// Where the link /proc/PID/NAME pointed: exe, cwd, root, fd/N.
[[nodiscard]] std::optional<std::string> proc_link_target(const model::Snapshot& snapshot,
                                                          const model::Process& process,
                                                          std::string_view name);

}  // namespace icecore::snapshot

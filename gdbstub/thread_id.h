// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// With the multiprocess extension an id is "pPID.TID", else "TID".
enum class ThreadIdForm { TidOnly, WithProcess };

[[nodiscard]] std::string format_thread_id(ThreadId id, ThreadIdForm form);
/// "p1.2", "p1" (all threads), "2", "0" (any), "-1" (all). nullopt for anything else.
[[nodiscard]] std::optional<ThreadSelector> parse_thread_selector(std::string_view text);

}  // namespace icecore::gdbstub

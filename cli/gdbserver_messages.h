// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gdbstub/session_news.h"

namespace icecore::cli {

// gdbserver 13's own words, which editors wait for.

[[nodiscard]] std::string gdbserver_message(const gdbstub::SessionNews& news);
/// "Killing process(es): 12 34"; empty without processes.
[[nodiscard]] std::string gdbserver_list(std::string_view what,
                                         const std::vector<std::int32_t>& pids);

}  // namespace icecore::cli

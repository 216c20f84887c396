// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace icecore::cli {

/// "USR1", "SIGUSR1", "10"; nullopt when there is no such signal.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

}  // namespace icecore::cli

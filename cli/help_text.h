// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace icecore::cli {

/// What `icecore help` prints: the verbs by group.
[[nodiscard]] std::string overview_text();
/// What `icecore help VERB` prints.
[[nodiscard]] std::string help_text(const Command& command);
/// "icecore VERB ..." lines, the first after "usage: ".
[[nodiscard]] std::string usage_text(const Command& command);

/// "--every TIME", "-q, --quiet"
[[nodiscard]] std::string option_heading(const Option& option);

}  // namespace icecore::cli

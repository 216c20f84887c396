// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command.h"

namespace icecore::cli {

/// icecore(1), in troff.
[[nodiscard]] std::string overview_manual();
/// "icecore-image-run"
[[nodiscard]] std::string page_name(const Command& command);
/// icecore-VERB(1), in troff.
[[nodiscard]] std::string manual_page(const Command& command);

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "cli/command.h"

namespace icecore::cli {

/// Every verb understands these, before and after its name.
inline constexpr std::array kCommonOptions = {
    Option{"store", 0, "DIR",
           "where recordings are kept (default $ICECORE_STORE, else $XDG_DATA_HOME/icecore, else "
           "~/.local/share/icecore)",
           Completes::Directory},
    Option{"quiet", 'q', "", "say only what went wrong"},
    Option{"verbose", 'v', "", "log what icecore does to stderr, as ICECORE_LOG=all"},
    Option{"color", 0, "auto|always|never",
           "colour the output; auto is for terminals and heeds NO_COLOR", Completes::Nothing,
           "auto"},
    Option{"help", 'h', "", "show the help of the verb"},
};

}  // namespace icecore::cli

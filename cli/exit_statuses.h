// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace icecore::cli {

/// What the manual says of each exit status. New ones may be added, old ones keep their meaning.
inline constexpr std::array<std::pair<ExitStatus, std::string_view>, 7> kExitStatuses = {{
    {ExitStatus::Done, "Done."},
    {ExitStatus::Failed, "Failed; the message says what and why."},
    {ExitStatus::WrongUsage, "Wrong usage of the command line."},
    {ExitStatus::Refused, "Refused, because something is not supported; nothing was changed."},
    {ExitStatus::NoSuchStore, "There is no such store."},
    {ExitStatus::Locked, "The recording or the store is locked by another icecore."},
    {ExitStatus::Cancelled, "Cancelled from the keyboard."},
}};

}  // namespace icecore::cli

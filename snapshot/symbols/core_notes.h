// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// The content of the PT_NOTE segment of a core file, as the kernel itself would write it:
/// registers of every thread (the one of `current_tid` first, for debuggers select the first),
/// process, auxv, files.
std::vector<std::byte> core_notes(const model::Process& process, int current_tid);

}  // namespace icecore::symbols

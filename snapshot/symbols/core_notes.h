// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// The content of the PT_NOTE segment of a core file, as the kernel itself would write it:
/// registers of every thread (the one of `current_tid` first, for debuggers select the first),
/// process, auxv, files. Extended registers are in Intel's layout on all machines.
std::vector<std::byte> core_notes(const ProcessImage& image, int current_tid);

}  // namespace icecore::symbols

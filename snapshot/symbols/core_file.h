// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// What a written core file holds.
struct CoreSummary {
  /// As `ls` shows it; zero pages are holes and take no room.
  std::uint64_t file_size = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t segments = 0;
  /// The thread that debuggers select.
  int current_tid = 0;
  /// Ranges without content in the core: not held, or not readable live either. "START-END name".
  std::vector<std::string> left_out;
};

/// Writes `image` as an ELF core to `path` (mode 0600, complete or not there at all),
/// self-sufficient: memory of files is inside. `current_tid` is selected by debuggers; 0: the
/// thread with a signal, else the leader. Needs a few MiB of memory whatever the image's size.
/// Throws Refused when a core cannot hold the process: one without registers (a zombie), or a
/// 32-bit one.
CoreSummary write_core_file(const ProcessImage& image, const std::string& path,
                            int current_tid = 0);

}  // namespace icecore::symbols

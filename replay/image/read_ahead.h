// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <thread>

#include "base/unique_fd.h"
#include "replay/image/page_order.h"
#include "replay/image/raw_memory.h"

namespace icecore::replay {

/// Lets the kernel read what a start will need while the start goes on, when it is not in the page
/// cache: first the pages that earlier copies have touched, in that order, then the parts of
/// programs and libraries that were touched when the image was built; all of the memory where
/// nothing is known of earlier copies.
class ReadAhead {
 public:
  /// Begins when the file of `memory` is mostly not in the page cache; else nothing is done.
  /// `touched` is the file of them, see touched_files.h.
  ReadAhead(const RawMemory& memory, const PageOrder& order, const std::filesystem::path& touched);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  /// Waits until all has been asked for.
  ~ReadAhead() = default;

 private:
  std::jthread thread_;
};

}  // namespace icecore::replay

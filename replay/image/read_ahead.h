// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <thread>
#include <vector>

#include "replay/image/touched_files.h"

namespace icecore::replay {

/// Lets the kernel read what a start will need while the start goes on, when it is not in the page
/// cache: first the memory, which is copied from its beginning to its end, then the parts of
/// programs and libraries that were touched when the image was built.
class ReadAhead {
 public:
  /// Begins when `memory` is mostly not in the page cache; else nothing is done.
  ReadAhead(const std::filesystem::path& memory, const std::filesystem::path& touched);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  /// Waits until all has been asked for.
  ~ReadAhead() = default;

 private:
  std::jthread thread_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <string>

#include "cli/snapshot_image.h"
#include "snapshot/symbols/backtrace.h"

namespace icecore::cli {

/// The stacks of one process's threads, as text. One ModuleCache serves all processes of a run.
class ThreadStacks {
 public:
  static constexpr std::size_t kWhole = symbols::Unwinder::kDefaultLimit;

  ThreadStacks(const snapshot::StoredSnapshot& snapshot, const model::Process& process,
               symbols::ModuleCache& modules)
      : image_(snapshot, process), unwinder_(image_), symbolizer_(image_, modules) {}

  [[nodiscard]] symbols::Backtrace stack(const model::Thread& thread, std::size_t limit) const {
    return symbols::backtrace(unwinder_, symbolizer_, thread, limit);
  }
  /// At most `limit` frames, a line each, after `indent`.
  [[nodiscard]] std::string text(const model::Thread& thread, std::size_t limit,
                                 const std::string& indent) const;

 private:
  SnapshotImage image_;
  symbols::Unwinder unwinder_;
  symbols::Symbolizer symbolizer_;
};

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "replay/restore/memory_fill.h"
#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Brings most of a process's anonymous memory when it is touched, or in the background while the
/// process runs already, so that its start does not wait for it.
class LateMemory {
 public:
  LateMemory() = default;
  LateMemory(const LateMemory&) = delete;
  LateMemory& operator=(const LateMemory&) = delete;
  virtual ~LateMemory() = default;

  /// Pages of an anonymous mapping of `process` that has all its attributes, and nothing in it
  /// yet; returns those that must be written at once.
  [[nodiscard]] virtual std::vector<PageFill> put_off(const model::Process& process,
                                                      const model::Mapping& mapping,
                                                      const std::vector<PageFill>& fills) = 0;
  /// All mappings of `process` are made; from now on what was put off comes when it is touched.
  virtual void begin(RestoredProcess& process) = 0;
};

}  // namespace icecore::replay

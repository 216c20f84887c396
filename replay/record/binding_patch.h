// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "replay/record/process_copy.h"

namespace icecore::replay {

/// The code of ld.so that keeps vector registers on the stack while a function is bound lazily,
/// made to leave the same bytes in each run. XSAVEC skips what the CPU takes for unused, which
/// depends on who ran there before; what it leaves out is whatever the stack held, and may lie in
/// holes of frames in use much later. Patched, the area is cleared first, and all of it is said to
/// be used: what is restored is the same.
///
/// Without ld.so, or with one that binds in another way, nothing is done.
class BindingPatch {
 public:
  explicit BindingPatch(int pid);
  void apply(const TracedMemory& memory) const;
  void take_back(const TracedMemory& memory) const;
  /// Whether `pc` is inside of what apply() writes.
  [[nodiscard]] bool covers(std::uint64_t pc) const;

 private:
  struct Site {
    std::uint64_t address = 0;  ///< of the XSAVEC
    std::uint64_t routine = 0;  ///< where it is made to jump to: unused bytes of the same mapping
  };
  std::optional<Site> site_;
};

}  // namespace icecore::replay

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
/// Without ld.so, or with one that binds in another way, nothing is done; nor while the process is
/// in the middle of it.
class BindingPatch {
 public:
  explicit BindingPatch(int pid);
  void apply(const TracedMemory& memory) const;
  void take_back(const TracedMemory& memory) const;
  /// Whether `pc` is in the middle of what apply() writes.
  [[nodiscard]] bool covers(std::uint64_t pc) const;

 private:
  std::optional<std::uint64_t> site_;
};

}  // namespace icecore::replay

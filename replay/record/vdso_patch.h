// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replay/record/process_copy.h"

namespace icecore::replay {

/// The functions of the vdso that read the clock without a system call, made to call: so that what
/// they answer is seen and kept. The process must be stopped outside of the vdso.
class VdsoPatch {
 public:
  /// Throws when the process has a vdso that cannot be read. Without a vdso nothing is to be done.
  explicit VdsoPatch(int pid);
  void apply(const TracedMemory& memory) const;
  void take_back(const TracedMemory& memory) const;
  /// Whether `pc` is inside of what apply() overwrites, or would return into it.
  [[nodiscard]] bool covers(std::uint64_t pc) const { return pc >= start_ && pc < end_; }

 private:
  struct Site {
    std::uint64_t address = 0;
    std::string original;
    std::string call;
  };
  std::uint64_t start_ = 0;
  std::uint64_t end_ = 0;
  std::vector<Site> sites_;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The kernel's own: [vvar], [vvar_vclock], [vdso] are moved, not mapped; [vsyscall] is everywhere.
[[nodiscard]] bool is_vdso_part(const std::string& name);
[[nodiscard]] bool is_kernel_owned(const model::Mapping& mapping);

/// How to make one mapping anew: arguments of mmap(2), then madvise(2) and friends.
struct MappingPlan {
  int protection = 0;          ///< for mmap
  int flags = 0;               ///< without MAP_FIXED
  bool protect_after = false;  ///< mprotect to final_protection afterwards
  int final_protection = 0;
  bool needs_file = false;
  bool lock = false;
  bool lock_on_fault = false;
  bool seal = false;
  std::vector<int> advice;  ///< MADV_* of the whole mapping
  std::string anonymous_name;
};

/// From the mapping's VmFlags as smaps gave them. Throws Refused for what cannot be made.
[[nodiscard]] MappingPlan plan_mapping(const model::Mapping& mapping);

}  // namespace icecore::replay

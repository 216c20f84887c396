// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace icecore::snapshot {

/// Address of a `syscall` instruction in the vdso of process `pid`. Throws when it has none.
std::uint64_t find_syscall_instruction(int pid);

}  // namespace icecore::snapshot

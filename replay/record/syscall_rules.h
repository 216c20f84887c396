// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay/record/event.h"
#include "replay/record/process_copy.h"
#include "replay/record/syscall_table.h"

namespace icecore::replay {

/// The row of a call with these arguments: that of the table, or for an irregular call what its
/// arguments make of it.
SyscallRow row_of(const RecordedCall& call, const TracedMemory& memory);

/// The memory that a call with this result has written, as it is now.
std::vector<MemoryWrite> outputs_of(const SyscallRow& row, const RecordedCall& call,
                                    const TracedMemory& memory);

/// Its name as the manual has it, "system call 500" when unknown.
std::string syscall_name(std::int64_t number);

}  // namespace icecore::replay

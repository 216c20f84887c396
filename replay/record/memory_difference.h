// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "replay/record/event.h"
#include "replay/record/process_copy.h"

namespace icecore::replay {

/// Two stopped processes with the same memory layout, one a copy of the other or both of a third.
/// Compared is what programs can write: writable private mappings, without the 128 bytes below the
/// stack pointer's red zone and all that lies deeper, which nothing reads: there ld.so leaves parts
/// of xsave areas that depend on what the CPU last ran.
struct ComparedProcess {
  int pid = 0;
  const TracedMemory& memory;
  std::uint64_t stack_pointer = 0;
};

/// Whether all of it is equal. Stops at the first difference.
bool same_memory(const ComparedProcess& one, const ComparedProcess& other);

/// What `after` has where it differs from `before`.
std::vector<MemoryWrite> changed_memory(const ComparedProcess& before,
                                        const ComparedProcess& after);

/// A number that two processes with equal memory share, and others do not.
std::uint64_t memory_digest(const ComparedProcess& process);

/// Bytes of writable private memory that process `pid` has, mapped or not.
std::uint64_t writable_size(int pid);

}  // namespace icecore::replay

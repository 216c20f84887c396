// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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

/// The address, a multiple of eight, of a word that differs, but for the bytes that `overwritten`
/// names; nullopt when all of it is equal.
std::optional<std::uint64_t> first_difference(const ComparedProcess& one,
                                              const ComparedProcess& other,
                                              std::span<const MemoryWrite> overwritten = {});

/// What `after` has where it differs from `before`.
std::vector<MemoryWrite> changed_memory(const ComparedProcess& before,
                                        const ComparedProcess& after);

/// Bytes of writable private memory that process `pid` has, mapped or not.
std::uint64_t writable_size(int pid);

}  // namespace icecore::replay

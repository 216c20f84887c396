// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <optional>

namespace icecore::snapshot {

// System calls that block until all is done, and of which a part was done when we cut them short.

/// How much the call of `registers` asked for, in the unit of its result; 0 for a call that may
/// end with less anyway.
std::uint64_t asked_for(int pid, const user_regs_struct& registers);

/// Whether only an interruption can make the call do less: its descriptor is a pipe, a socket or a
/// terminal in blocking mode, or a source of bytes without end.
bool always_does_all(int pid, const user_regs_struct& registers);

/// `registers` changed so that the call does the rest after `done`. Writes helper data below the
/// stack's red zone where needed; nullopt when that is impossible.
std::optional<user_regs_struct> with_rest_only(int pid, user_regs_struct registers,
                                               std::uint64_t done);

/// Where `size` bytes of our own may lie for the time of a call: below the stack's red zone.
std::uint64_t place_below_stack(const user_regs_struct& registers, std::uint64_t size);

}  // namespace icecore::snapshot

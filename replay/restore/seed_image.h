// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace icecore::replay {

/// The program that every restored process begins as: one page, no library, nothing of ours that
/// would have to be cleaned away. It pauses until it is driven. The first process of a restored
/// PID namespace stays in its init loop, since a namespace lives as long as its first process.
constexpr std::uint64_t kSeedAddress = 0x10000;
/// A `syscall` instruction.
constexpr std::uint64_t kSeedSyscall = kSeedAddress + 0x85;
/// Waits for children for ever: r12 is the pid whose status is to be kept, rbx (or -1) the
/// descriptor to which {int32 pid, int32 status} is written for each. Exits when none are left.
constexpr std::uint64_t kSeedInit = kSeedAddress + 0x90;

/// A static ELF executable, for a memfd.
std::vector<std::byte> seed_image();

}  // namespace icecore::replay

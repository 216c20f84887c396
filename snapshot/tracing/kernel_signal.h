// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::snapshot {

// Structures of remote signal calls as the kernel has them, not as glibc shows them
// (arch/x86/include/uapi/asm/signal.h).

/// struct sigaction.
struct KernelSigaction {
  std::uint64_t handler;
  std::uint64_t flags;
  std::uint64_t restorer;
  std::uint64_t mask;
};

/// stack_t.
struct KernelAltStack {
  std::uint64_t address;
  std::int32_t flags;
  std::int32_t pad;
  std::uint64_t size;
};

/// sizeof(sigset_t): what the calls with a mask want to be told.
constexpr std::size_t kKernelMaskSize = 8;

}  // namespace icecore::snapshot

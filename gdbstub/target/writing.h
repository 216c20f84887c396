// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gdbstub/target/register_layout.h"
#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// Changing a stopped target. A target that refuses throws Error with the reason.
class Writing {
 public:
  virtual ~Writing() = default;
  virtual void write_memory(std::int32_t pid, std::uint64_t address,
                            std::span<const std::byte> bytes) = 0;
  /// Registers that are not known in `values` stay as they are.
  virtual void write_registers(ThreadId thread, const RegisterValues& values) = 0;
};

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// The siginfo_t (128 bytes) of the signal that a thread stopped for.
class SignalDetails {
 public:
  virtual ~SignalDetails() = default;
  /// Throws Error when there is none.
  virtual std::vector<std::byte> siginfo(ThreadId thread) = 0;

  [[nodiscard]] virtual bool is_writable() const { return false; }
  /// What the signal will carry when it is delivered; 128 bytes.
  virtual void write_siginfo(ThreadId thread, std::span<const std::byte> bytes);
};

}  // namespace icecore::gdbstub

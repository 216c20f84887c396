// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

class ThreadLocalStorage {
 public:
  virtual ~ThreadLocalStorage() = default;
  /// The address in `thread` of what lies `offset` bytes into the thread-local block of the library
  /// with this link map. Throws Error when the thread has no such block yet.
  virtual std::uint64_t address(ThreadId thread, std::uint64_t offset, std::uint64_t link_map) = 0;
};

}  // namespace icecore::gdbstub

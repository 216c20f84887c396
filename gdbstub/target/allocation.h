// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace icecore::gdbstub {

struct AllocationRequest {
  std::uint64_t size = 0;  ///< bytes
  bool readable = true;
  bool writable = true;
  bool executable = false;
};

/// Fresh memory in a process, in which a client puts code and data of its own.
class Allocation {
 public:
  virtual ~Allocation() = default;
  /// The address of the first byte. Throws Error when there is no room.
  virtual std::uint64_t allocate(std::int32_t pid, const AllocationRequest& request) = 0;
  /// Gives back what allocate() gave; throws Error for any other address.
  virtual void release(std::int32_t pid, std::uint64_t address) = 0;
};

}  // namespace icecore::gdbstub

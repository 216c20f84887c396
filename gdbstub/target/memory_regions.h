// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace icecore::gdbstub {

struct MemoryRegion {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::string name;
};

/// The mappings of a process, ascending.
class MemoryRegions {
 public:
  virtual ~MemoryRegions() = default;
  virtual std::vector<MemoryRegion> regions(std::int32_t pid) = 0;
};

}  // namespace icecore::gdbstub

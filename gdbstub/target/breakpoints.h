// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace icecore::gdbstub {

/// A place where a process shall stop. The numbers are those of the Z packets.
struct Breakpoint {
  enum class Kind { Software = 0, Hardware = 1, WriteWatch = 2, ReadWatch = 3, AccessWatch = 4 };
  Kind kind = Kind::Software;
  std::int32_t pid = 0;
  std::uint64_t address = 0;
  /// Watchpoints: bytes watched. Breakpoints: the architecture's kind, 1 on amd64.
  std::uint64_t size = 1;
  auto operator<=>(const Breakpoint&) const = default;
};

/// Inserting one twice is the same as once; removing what is not there is no error.
class Breakpoints {
 public:
  virtual ~Breakpoints() = default;
  [[nodiscard]] virtual bool supports(Breakpoint::Kind kind) const = 0;
  virtual void insert(const Breakpoint& breakpoint) = 0;
  virtual void remove(const Breakpoint& breakpoint) = 0;
};

}  // namespace icecore::gdbstub

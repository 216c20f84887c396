// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>

#include "gdbstub/target/stop_condition.h"

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

/// Inserting one twice is the same as once, except that the later condition counts; removing what
/// is not there is no error.
class Breakpoints {
 public:
  virtual ~Breakpoints() = default;
  [[nodiscard]] virtual bool supports(Breakpoint::Kind kind) const = 0;
  /// Stops always.
  virtual void insert(const Breakpoint& breakpoint) = 0;
  virtual void remove(const Breakpoint& breakpoint) = 0;

  /// Whether insert_conditional() may be called, which is for Software and Hardware only.
  [[nodiscard]] virtual bool evaluates_conditions() const { return false; }
  /// Stops where the condition asks for it (a null one asks always, as insert()). A process forked
  /// from this one inherits it.
  virtual void insert_conditional(const Breakpoint& breakpoint,
                                  std::shared_ptr<const StopCondition> condition);

  /// How many bytes-watched slots there are, for clients that ask beforehand.
  [[nodiscard]] virtual unsigned watchpoint_count() const { return 1024; }
};

}  // namespace icecore::gdbstub

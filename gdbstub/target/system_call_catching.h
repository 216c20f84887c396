// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>

namespace icecore::gdbstub {

/// Which system calls of a process stop it, at entry and at return (SystemCallStop).
struct CaughtSystemCalls {
  enum class Which { None, All, Listed };
  Which which = Which::None;
  std::set<std::int64_t> numbers;  ///< for Listed
};

class SystemCallCatching {
 public:
  virtual ~SystemCallCatching() = default;
  /// Replaces what was caught in this process before.
  virtual void catch_calls(std::int32_t pid, const CaughtSystemCalls& calls) = 0;
};

}  // namespace icecore::gdbstub

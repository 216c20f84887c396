// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gdbstub/target/target.h"

namespace icecore::gdbstub {

/// An expression that cannot be evaluated: an unknown operation, a stack that runs over, memory
/// that is not there, no end in sight.
class AgentExpressionError : public Error {
 public:
  using Error::Error;
};

/// Bytecode into which gdb compiles conditions and dprintf (gdb manual, "The GDB Agent Expression
/// Mechanism"). All of it but what only tracepoints use and floating point, which gdb never emits.
class AgentExpression {
 public:
  explicit AgentExpression(std::vector<std::byte> bytecode) : bytecode_(std::move(bytecode)) {}

  struct Outcome {
    std::uint64_t value = 0;  ///< the top of the stack at the end, 0 for an empty one
    std::string printed;      ///< by the operation printf
  };
  /// With the registers of `thread`, which stands still, and the memory of its process. Throws
  /// AgentExpressionError; ends after at most kLongestRun operations.
  [[nodiscard]] Outcome evaluate(Target& target, ThreadId thread) const;

  static constexpr std::size_t kLongestRun = 100'000;
  static constexpr std::size_t kDeepestStack = 256;

 private:
  std::vector<std::byte> bytecode_;
};

}  // namespace icecore::gdbstub

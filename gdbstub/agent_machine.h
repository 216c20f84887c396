// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gdbstub/agent_expression.h"
#include "gdbstub/agent_operations.h"

namespace icecore::gdbstub {

/// One run of one agent expression. Whatever the bytes are, it reads none behind them, keeps at
/// most kDeepestStack values and ends.
class AgentMachine {
 public:
  AgentMachine(std::span<const std::byte> code, Target& target, ThreadId thread)
      : code_(code), target_(target), thread_(thread) {}
  AgentExpression::Outcome run();

 private:
  enum class Next { GoOn, End };
  Next step();
  /// The families of operations; false for one that is not of the family.
  bool arithmetic(AgentOperation operation);
  bool divide(AgentOperation operation);
  bool shift(AgentOperation operation);
  bool compare(AgentOperation operation);
  bool move(AgentOperation operation);
  bool load(AgentOperation operation);
  bool jump(AgentOperation operation);
  void print();

  std::uint64_t operand(unsigned bytes);
  void push(std::uint64_t value);
  std::uint64_t pop();
  std::uint64_t register_value(std::uint64_t number);
  std::uint64_t memory_value(std::uint64_t address, unsigned bytes);
  void go_to(std::uint64_t offset);

  std::span<const std::byte> code_;
  Target& target_;
  ThreadId thread_;
  std::size_t position_ = 0;
  std::vector<std::uint64_t> stack_;
  std::optional<RegisterValues> registers_;  // read once, when the first is wanted
  std::string printed_;
};

}  // namespace icecore::gdbstub

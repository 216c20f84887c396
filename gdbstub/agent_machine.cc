// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/agent_machine.h"

#include <limits>
#include <utility>

#include "gdbstub/agent_format.h"

namespace icecore::gdbstub {
namespace {

constexpr unsigned kWordBits = 64;
constexpr std::size_t kLongestText = 65536;

std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::uint64_t sign_extended(std::uint64_t value, std::uint64_t bits) {
  if (bits == 0 || bits >= kWordBits) return value;
  const unsigned unused = kWordBits - static_cast<unsigned>(bits);
  return as_unsigned(as_signed(value << unused) >> unused);
}

std::uint64_t zero_extended(std::uint64_t value, std::uint64_t bits) {
  if (bits >= kWordBits) return value;
  return value & ((std::uint64_t{1} << bits) - 1);
}

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

AgentExpression::Outcome AgentMachine::run() {
  for (std::size_t i = 0; i < AgentExpression::kLongestRun; ++i) {
    if (step() == Next::End) return {stack_.empty() ? 0 : stack_.back(), std::move(printed_)};
  }
  throw AgentExpressionError("the expression does not end");
}

AgentMachine::Next AgentMachine::step() {
  const auto operation = static_cast<AgentOperation>(operand(1));
  if (operation == AgentOperation::End) return Next::End;
  if (operation == AgentOperation::Print) {
    print();
  } else if (!arithmetic(operation) && !divide(operation) && !shift(operation) &&
             !compare(operation) && !move(operation) && !load(operation) && !jump(operation)) {
    throw AgentExpressionError("operation " + std::to_string(static_cast<int>(operation)) +
                               " of agent expressions is not known here");
  }
  return Next::GoOn;
}

bool AgentMachine::arithmetic(AgentOperation operation) {
  switch (operation) {
    case AgentOperation::Add:
      push(pop() + pop());
      return true;
    case AgentOperation::Multiply:
      push(pop() * pop());
      return true;
    case AgentOperation::And:
      push(pop() & pop());
      return true;
    case AgentOperation::Or:
      push(pop() | pop());
      return true;
    case AgentOperation::Xor:
      push(pop() ^ pop());
      return true;
    case AgentOperation::Not:
      push(~pop());
      return true;
    case AgentOperation::LogicalNot:
      push(pop() == 0 ? 1 : 0);
      return true;
    case AgentOperation::Subtract: {
      const std::uint64_t right = pop();
      push(pop() - right);
      return true;
    }
    default:
      return false;
  }
}

bool AgentMachine::divide(AgentOperation operation) {
  if (operation < AgentOperation::DivideSigned || operation > AgentOperation::RemainderUnsigned) {
    return false;
  }
  const std::uint64_t divisor = pop();
  const std::uint64_t dividend = pop();
  if (divisor == 0) throw AgentExpressionError("division by zero");
  const bool overflows = as_signed(dividend) == std::numeric_limits<std::int64_t>::min() &&
                         as_signed(divisor) == -1;  // the processor would raise SIGFPE
  switch (operation) {
    case AgentOperation::DivideSigned:
      push(overflows ? dividend : as_unsigned(as_signed(dividend) / as_signed(divisor)));
      break;
    case AgentOperation::RemainderSigned:
      push(overflows ? 0 : as_unsigned(as_signed(dividend) % as_signed(divisor)));
      break;
    case AgentOperation::DivideUnsigned:
      push(dividend / divisor);
      break;
    default:
      push(dividend % divisor);
      break;
  }
  return true;
}

bool AgentMachine::shift(AgentOperation operation) {
  if (operation < AgentOperation::ShiftLeft || operation > AgentOperation::ShiftRightUnsigned) {
    return false;
  }
  const std::uint64_t count = pop();
  const std::uint64_t value = pop();
  const bool is_signed = operation == AgentOperation::ShiftRightSigned;
  if (count >= kWordBits) {
    push(is_signed && as_signed(value) < 0 ? ~std::uint64_t{0} : 0);
  } else if (operation == AgentOperation::ShiftLeft) {
    push(value << count);
  } else {
    push(is_signed ? as_unsigned(as_signed(value) >> count) : value >> count);
  }
  return true;
}

bool AgentMachine::compare(AgentOperation operation) {
  if (operation < AgentOperation::Equal || operation > AgentOperation::LessUnsigned) return false;
  const std::uint64_t right = pop();
  const std::uint64_t left = pop();
  bool holds = left == right;
  if (operation == AgentOperation::LessSigned) holds = as_signed(left) < as_signed(right);
  if (operation == AgentOperation::LessUnsigned) holds = left < right;
  push(holds ? 1 : 0);
  return true;
}

bool AgentMachine::move(AgentOperation operation) {
  switch (operation) {
    case AgentOperation::Pop:
      pop();
      return true;
    case AgentOperation::Duplicate:
    case AgentOperation::Pick: {
      const std::uint64_t depth = operation == AgentOperation::Pick ? operand(1) : 0;
      if (depth >= stack_.size()) throw AgentExpressionError("nothing that deep on the stack");
      push(stack_[stack_.size() - 1 - depth]);
      return true;
    }
    case AgentOperation::Swap: {
      const std::uint64_t top = pop();
      const std::uint64_t below = pop();
      push(top);
      push(below);
      return true;
    }
    case AgentOperation::Rotate: {  // a b c => c a b
      const std::uint64_t c = pop();
      const std::uint64_t b = pop();
      const std::uint64_t a = pop();
      push(c);
      push(a);
      push(b);
      return true;
    }
    default:
      return false;
  }
}

bool AgentMachine::load(AgentOperation operation) {
  switch (operation) {
    case AgentOperation::SignExtend:
      push(sign_extended(pop(), operand(1)));
      return true;
    case AgentOperation::ZeroExtend:
      push(zero_extended(pop(), operand(1)));
      return true;
    case AgentOperation::Reference8:
    case AgentOperation::Reference16:
    case AgentOperation::Reference32:
    case AgentOperation::Reference64:
      push(memory_value(pop(), 1U << (static_cast<unsigned>(operation) -
                                      static_cast<unsigned>(AgentOperation::Reference8))));
      return true;
    case AgentOperation::Constant8:
    case AgentOperation::Constant16:
    case AgentOperation::Constant32:
    case AgentOperation::Constant64:
      push(operand(1U << (static_cast<unsigned>(operation) -
                          static_cast<unsigned>(AgentOperation::Constant8))));
      return true;
    case AgentOperation::Register:
      push(register_value(operand(2)));
      return true;
    default:
      return false;
  }
}

bool AgentMachine::jump(AgentOperation operation) {
  if (operation != AgentOperation::Goto && operation != AgentOperation::IfGoto) return false;
  const std::uint64_t offset = operand(2);
  if (operation == AgentOperation::Goto || pop() != 0) go_to(offset);
  return true;
}

/// "nargs(1) length(2) format": takes a function and a channel, which mean something to gdb only,
/// and the arguments off the stack, the first one first.
void AgentMachine::print() {
  const std::uint64_t count = operand(1);
  const std::uint64_t length = operand(2);
  if (length > code_.size() - position_) throw AgentExpressionError("a text is cut off");
  const auto* text = reinterpret_cast<const char*>(code_.data() + position_);
  std::string_view format(text, length);
  position_ += length;
  if (format.ends_with('\0')) format.remove_suffix(1);
  pop();
  pop();
  std::vector<std::uint64_t> arguments;
  for (std::uint64_t i = 0; i < count; ++i) arguments.push_back(pop());
  printed_ += format_agent_text(format, arguments, {target_, thread_.pid});
  if (printed_.size() > kLongestText) throw AgentExpressionError("too much to print");
}

std::uint64_t AgentMachine::operand(unsigned bytes) {
  if (bytes > code_.size() - position_) throw AgentExpressionError("the expression is cut off");
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    value = value << 8U | std::to_integer<std::uint64_t>(code_[position_++]);
  }
  return value;
}

void AgentMachine::push(std::uint64_t value) {
  if (stack_.size() >= AgentExpression::kDeepestStack) {
    throw AgentExpressionError("the stack runs over");
  }
  stack_.push_back(value);
}

std::uint64_t AgentMachine::pop() {
  if (stack_.empty()) throw AgentExpressionError("the stack is empty");
  const std::uint64_t value = stack_.back();
  stack_.pop_back();
  return value;
}

std::uint64_t AgentMachine::register_value(std::uint64_t number) {
  const auto& registers = target_.register_layout().registers();
  if (number >= registers.size()) throw AgentExpressionError("no register has this number");
  if (!registers_) registers_ = target_.read_registers(thread_);
  const Register& wanted = registers[number];
  if (!registers_->known[number] || wanted.size > sizeof(std::uint64_t)) {
    throw AgentExpressionError("the value of " + wanted.name + " is not available");
  }
  return little_endian(std::span(registers_->bytes).subspan(wanted.offset, wanted.size));
}

std::uint64_t AgentMachine::memory_value(std::uint64_t address, unsigned bytes) {
  std::byte buffer[sizeof(std::uint64_t)];
  const std::span<std::byte> wanted(buffer, bytes);
  if (target_.read_memory(thread_.pid, address, wanted) != bytes) {
    throw AgentExpressionError("memory that is not there");
  }
  return little_endian(wanted);
}

void AgentMachine::go_to(std::uint64_t offset) {
  if (offset >= code_.size()) throw AgentExpressionError("a jump out of the expression");
  position_ = offset;
}

}  // namespace icecore::gdbstub

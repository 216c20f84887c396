// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace icecore::gdbstub {

/// The operations of agent expressions, by their bytes (gdb: gdbsupport/ax.def).
enum class AgentOperation : std::uint8_t {
  Add = 0x02,
  Subtract = 0x03,
  Multiply = 0x04,
  DivideSigned = 0x05,
  DivideUnsigned = 0x06,
  RemainderSigned = 0x07,
  RemainderUnsigned = 0x08,
  ShiftLeft = 0x09,
  ShiftRightSigned = 0x0a,
  ShiftRightUnsigned = 0x0b,
  LogicalNot = 0x0e,
  And = 0x0f,
  Or = 0x10,
  Xor = 0x11,
  Not = 0x12,
  Equal = 0x13,
  LessSigned = 0x14,
  LessUnsigned = 0x15,
  SignExtend = 0x16,
  Reference8 = 0x17,
  Reference16 = 0x18,
  Reference32 = 0x19,
  Reference64 = 0x1a,
  IfGoto = 0x20,
  Goto = 0x21,
  Constant8 = 0x22,
  Constant16 = 0x23,
  Constant32 = 0x24,
  Constant64 = 0x25,
  Register = 0x26,
  End = 0x27,
  Duplicate = 0x28,
  Pop = 0x29,
  ZeroExtend = 0x2a,
  Swap = 0x2b,
  Pick = 0x32,
  Rotate = 0x33,
  Print = 0x34,
};

}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
// How each kind of transfer is written: the other half of block_writer.cc.
#include <array>

#include "base/check.h"
#include "replay/translate/block_writer.h"

namespace icecore::replay {

void BlockWriter::transfer(const PlacedInstruction& instruction) {
  mark(instruction.pc, counted_);
  after_transfer_ = true;
  const Instruction& form = instruction.form;
  const std::uint64_t target =
      instruction.next() + static_cast<std::uint64_t>(std::int64_t{form.relative});
  switch (form.flow) {
    case Flow::Jump:
      return leave_by(out_.jump(), target);
    case Flow::Conditional: {
      const auto condition = static_cast<std::uint8_t>(0x80U | (form.opcode & 0xfU));
      leave_by(out_.jump_if(condition), target);
      return leave_by(out_.jump(), instruction.next());
    }
    case Flow::CountedJump:
      return counted_jump(instruction);
    case Flow::Call:
      push_return_address(instruction, counted_ | Mark::kPushed | Mark::kInside);
      return leave_by(out_.jump(), target);
    case Flow::CallIndirect:
    case Flow::JumpIndirect:
      return indirect(instruction);
    case Flow::Return:
      return return_to_caller(instruction);
    default:
      ICECORE_CHECK(false);
  }
}

/// These reach 127 bytes only: over a jump to what follows.
void BlockWriter::counted_jump(const PlacedInstruction& instruction) {
  if (instruction.form.address_32) out_.byte(0x67);
  out_.byte(instruction.form.opcode);
  constexpr std::uint8_t kJumpSize = 5;
  out_.byte(kJumpSize);
  leave_by(out_.jump(), instruction.next());
  leave_by(out_.jump(), instruction.next() +
                            static_cast<std::uint64_t>(std::int64_t{instruction.form.relative}));
}

/// The program sees its own return address: push [rip + literal].
void BlockWriter::push_return_address(const PlacedInstruction& instruction, unsigned state) {
  block_.return_pc = instruction.next();
  out_.raw(std::array<std::uint8_t, 6>{0xff, 0x35, 0, 0, 0, 0});
  literal_ = out_.here() - 4;
  mark(instruction.pc, state);
}

/// rcx = the operand of a jmp or call: FF /2 or /4 written as a mov.
void BlockWriter::load_target(const PlacedInstruction& instruction) {
  const Instruction& form = instruction.form;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
  if (form.segment != 0) bytes[size++] = form.segment;
  if (form.address_32) bytes[size++] = 0x67;
  bytes[size++] = static_cast<std::uint8_t>(0x48U | (form.rex & 3U));
  bytes[size++] = 0x8b;
  bytes[size++] =
      static_cast<std::uint8_t>((form.modrm & 0xc7U) | static_cast<unsigned>(Register::Rcx) << 3U);
  for (std::size_t i = form.modrm_offset + 1U; i < form.length; ++i) {
    bytes[size++] = instruction.bytes[i];
  }
  copy_at(instruction, std::span(bytes).first(size), out_.here() + size);
}

void BlockWriter::indirect(const PlacedInstruction& instruction) {
  out_.store(layout_.rcx(), Register::Rcx);
  const unsigned begun = counted_ | Mark::kRcxInSlot | Mark::kInside;
  mark(instruction.pc, counted_ | Mark::kRcxInSlot);
  load_target(instruction);
  mark(instruction.pc, begun);
  if (instruction.form.flow == Flow::CallIndirect) {
    push_return_address(instruction, begun | Mark::kPushed);
  }
  look_up_target(instruction);
}

void BlockWriter::return_to_caller(const PlacedInstruction& instruction) {
  out_.store(layout_.rcx(), Register::Rcx);
  mark(instruction.pc, counted_ | Mark::kRcxInSlot);
  out_.raw(std::array<std::uint8_t, 4>{0x48, 0x8b, 0x0c, 0x24});  // mov rcx, [rsp]
  mark(instruction.pc, counted_ | Mark::kRcxInSlot | Mark::kInside);
  const std::int32_t arguments = instruction.form.opcode == 0xc2 ? instruction.form.relative : 0;
  out_.add(Register::Rsp, arguments + 8);
  look_up_target(instruction);
}

/// To the block of the target in rcx, which is in its slot: through the table of CacheLayout.
void BlockWriter::look_up_target(const PlacedInstruction& instruction) {
  out_.store(layout_.rax(), Register::Rax);
  out_.store(layout_.target(), Register::Rcx);
  out_.store_immediate(layout_.origin(), out_.here());
  if (counting_ == Counting::Precise) return trap(ExitKind::Indirect, instruction.pc);
  out_.raw(std::array<std::uint8_t, 3>{0x0f, 0xb7, 0xc1});  // movzx eax, cx
  out_.jump_through(layout_.table(), Register::Rax);
}

}  // namespace icecore::replay

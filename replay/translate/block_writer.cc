// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/block_writer.h"

#include <utility>

#include "base/check.h"

namespace icecore::replay {

BlockWriter::BlockWriter(const CacheLayout& layout, Counting counting, std::uint64_t pc,
                         std::uint64_t address)
    : layout_(layout), counting_(counting), pc_(pc), out_(address) {
  block_.pc = pc;
  block_.code = address;
  constexpr std::size_t kUsual = 16;
  block_.marks.reserve(kUsual);
  mark(pc, 0);
}

void BlockWriter::mark(std::uint64_t pc, unsigned state) {
  block_.marks.push_back({static_cast<std::uint16_t>(out_.here() - block_.code),
                          static_cast<std::uint16_t>(pc - pc_), static_cast<std::uint8_t>(state)});
}

void BlockWriter::trap(ExitKind kind, std::uint64_t pc) {
  block_.exits.push_back({out_.here(), kind, pc, 0, after_transfer_});
  out_.trap();
}

void BlockWriter::leave_by(std::uint64_t displacement, std::uint64_t pc) {
  ways_out_.push_back({0, ExitKind::Link, pc, displacement, after_transfer_});
}

void BlockWriter::record_visit(std::size_t place) {
  const std::uint64_t slot = layout_.visits(place);
  out_.store(layout_.rax(), Register::Rax);
  for (std::uint32_t lane = 0; lane < CacheLayout::kLanes; ++lane) {
    out_.load(Register::Rax, layout_.lane(lane));
    out_.store(slot + 8 + 8ULL * lane, Register::Rax);
  }
  out_.load(Register::Rax, slot);
  out_.add(Register::Rax, 1);
  out_.store(slot, Register::Rax);
  out_.load(Register::Rax, layout_.rax());
  mark(pc_, 0);
}

void BlockWriter::stop() { trap(ExitKind::Stop, pc_); }

namespace {

std::array<std::pair<Register, std::uint64_t>, 12> not_repeated(const user_regs_struct& wanted) {
  return {{{Register::Rax, wanted.rax},
           {Register::Rdx, wanted.rdx},
           {Register::Rbx, wanted.rbx},
           {Register::Rsp, wanted.rsp},
           {Register::Rbp, wanted.rbp},
           {Register::R8, wanted.r8},
           {Register::R9, wanted.r9},
           {Register::R10, wanted.r10},
           {Register::R11, wanted.r11},
           {Register::R12, wanted.r12},
           {Register::R13, wanted.r13},
           {Register::R14, wanted.r14}}};
}

}  // namespace

void BlockWriter::leave_unless_rcx_zero(std::vector<std::uint64_t>& differs) {
  const std::uint64_t same = out_.jump_if_rcx_zero();
  differs.push_back(out_.jump());
  out_.bind_short(same);
}

/// Without flags: -wanted + register is 0 when they are equal.
void BlockWriter::compare(std::span<const Comparison> values, std::vector<std::uint64_t>& differs) {
  for (const auto& [reg, value] : values) {
    out_.load_immediate(Register::Rcx, 0 - value);
    out_.add(Register::Rcx, reg);
    leave_unless_rcx_zero(differs);
  }
}

void BlockWriter::compare_words(std::span<const MemoryWord> words,
                                std::vector<std::uint64_t>& differs) {
  constexpr std::array<std::uint8_t, 3> kLoadFromRcx{0x48, 0x8b, 0x09};  // mov rcx, [rcx]
  for (const MemoryWord& word : words) {
    out_.load_immediate(Register::Rcx, word.address);
    out_.raw(kLoadFromRcx);
    out_.store(layout_.rax(), Register::Rax);
    out_.load_immediate(Register::Rax, 0 - word.value);
    out_.add(Register::Rcx, Register::Rax);
    out_.load(Register::Rax, layout_.rax());
    leave_unless_rcx_zero(differs);
  }
}

void BlockWriter::end_match(std::span<const std::uint64_t> differs) {
  out_.load(Register::Rcx, layout_.rcx());
  mark(pc_, 0);
  trap(ExitKind::Match, pc_);
  for (const std::uint64_t jump : differs) out_.bind(jump);
  out_.load(Register::Rcx, layout_.rcx());
  mark(pc_, 0);
}

void BlockWriter::match(const user_regs_struct& wanted, std::span<const MemoryWord> words) {
  std::vector<std::uint64_t> differs;
  // rcx is compared first: afterwards it is free for the others.
  out_.store(layout_.rcx(), Register::Rcx);
  out_.store(layout_.rax(), Register::Rax);
  out_.load_immediate(Register::Rax, 0 - wanted.rcx);
  out_.add(Register::Rcx, Register::Rax);
  out_.load(Register::Rax, layout_.rax());
  leave_unless_rcx_zero(differs);
  compare(not_repeated(wanted), differs);
  compare(
      std::array<Comparison, 3>{
          {{Register::Rsi, wanted.rsi}, {Register::Rdi, wanted.rdi}, {Register::R15, wanted.r15}}},
      differs);
  compare_words(words, differs);
  end_match(differs);
}

void BlockWriter::match_repetition(const user_regs_struct& wanted) {
  std::vector<std::uint64_t> differs;
  out_.store(layout_.rcx(), Register::Rcx);
  compare(not_repeated(wanted), differs);
  compare(std::array<Comparison, 1>{{{Register::R15, wanted.r15}}}, differs);
  end_match(differs);
}

/// Copies bytes whose rip-relative displacement, if any, is counted from `end_of_copy`.
void BlockWriter::copy_at(const PlacedInstruction& instruction, std::span<const std::uint8_t> bytes,
                          std::uint64_t end_of_copy) {
  const std::uint8_t offset = instruction.form.displacement_offset;
  if (offset == 0) {
    out_.raw(bytes);
    return;
  }
  std::uint32_t displacement = 0;
  for (unsigned i = 0; i < 4; ++i) {
    displacement |= static_cast<std::uint32_t>(instruction.bytes[offset + i]) << (8 * i);
  }
  const std::uint64_t target =
      instruction.next() + static_cast<std::uint64_t>(static_cast<std::int32_t>(displacement));
  // All bytes behind the displacement are kept, those before it may be others.
  const std::size_t behind = instruction.form.length - offset - 4U;
  out_.raw(bytes.first(bytes.size() - behind - 4));
  out_.word32(target - end_of_copy);
  out_.raw(bytes.last(behind));
}

void BlockWriter::copy(const PlacedInstruction& instruction) {
  const Instruction& form = instruction.form;
  block_.has_x87 = block_.has_x87 || form.is_x87();
  if (form.flow == Flow::SavesX87) {
    mark(instruction.pc, counted_);
    trap(ExitKind::SaveX87, instruction.pc);
  }
  if (form.is_repeated_string()) {
    mark(instruction.pc, counted_);
    out_.store(layout_.rep_count(), Register::Rcx);
    mark(instruction.pc, counted_ | Mark::kRepetition);
  } else {
    mark(instruction.pc, counted_);
  }
  copy_at(instruction, std::span(instruction.bytes).first(form.length), out_.here() + form.length);
}

void BlockWriter::count_before(const PlacedInstruction& flags_overwriter, std::uint32_t lane) {
  mark(flags_overwriter.pc, 0);
  if (flags_overwriter.form.compares_memory()) {
    // Once before, for its fault or watch trap, while the flags are the program's.
    copy(flags_overwriter);
    mark(flags_overwriter.next(), 0);
  }
  out_.decrement(layout_.lane(lane));
  counted_ = Mark::kCounted;
  const unsigned state = Mark::kCounted | Mark::kDeadFlags;
  mark(flags_overwriter.pc, state);
  constexpr std::uint8_t kIfZero = 0x84;
  far_.branch = out_.jump_if(kIfZero);
  far_.back = out_.here();
  far_.pc = flags_overwriter.pc;
  far_.state = state;
}

void BlockWriter::count_at(const PlacedInstruction& transfer, std::uint32_t lane) {
  mark(transfer.pc, 0);
  out_.store(layout_.rcx(), Register::Rcx);
  mark(transfer.pc, Mark::kRcxInSlot);
  out_.load(Register::Rcx, layout_.lane(lane));
  out_.add(Register::Rcx, -1);
  out_.store(layout_.lane(lane), Register::Rcx);
  counted_ = Mark::kCounted;
  mark(transfer.pc, Mark::kCounted | Mark::kRcxInSlot);
  near_.branch = out_.jump_if_rcx_zero();
  near_.back = out_.here();
  near_.pc = transfer.pc;
  near_.state = Mark::kCounted | Mark::kRcxInSlot;
  out_.load(Register::Rcx, layout_.rcx());
}

void BlockWriter::trap_in_front_of(ExitKind kind, std::uint64_t pc) {
  mark(pc, counted_);
  trap(kind, pc);
}

void BlockWriter::go_on_at(std::uint64_t pc) {
  mark(pc, counted_);
  leave_by(out_.jump(), pc);
}

void BlockWriter::write_empty_lane() {
  if (near_.branch != 0) {
    out_.bind_short(near_.branch);
  } else {
    out_.bind(far_.branch);
  }
  const EmptyLane& lane = near_.branch != 0 ? near_ : far_;
  mark(lane.pc, lane.state);
  trap(ExitKind::LaneEmpty, lane.pc);
  out_.jump_to(lane.back);
}

Block BlockWriter::finish(std::uint64_t pc_end) {
  block_.pc_end = pc_end;
  if (near_.branch != 0 || far_.branch != 0) write_empty_lane();
  for (Exit& exit : ways_out_) {
    out_.bind(exit.patch);
    exit.address = out_.here();
    out_.trap();
    block_.exits.push_back(exit);
  }
  if (literal_ != 0) {
    out_.bind(literal_);
    out_.word64(block_.return_pc);
  }
  // Room for a jump to the block's successor, should it be replaced.
  constexpr std::size_t kJumpSize = 5;
  while (out_.bytes().size() < kJumpSize) out_.trap();
  block_.code_end = out_.here();
  return std::move(block_);
}

}  // namespace icecore::replay

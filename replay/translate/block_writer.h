// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "replay/translate/assembler.h"
#include "replay/translate/block.h"
#include "replay/translate/cache_layout.h"
#include "replay/translate/execution_point.h"
#include "replay/translate/instruction.h"

namespace icecore::replay {

/// An instruction where it is in the program.
struct PlacedInstruction {
  std::uint64_t pc = 0;
  Instruction form{};
  std::array<std::uint8_t, 15> bytes{};

  [[nodiscard]] std::uint64_t next() const { return pc + form.length; }
};

/// Whether a block counts its transfer.
enum class Counting {
  Lanes,   ///< in the process, and goes on to other blocks
  Precise  ///< not: each way out of it is a trap, and who runs it counts
};

/// Writes the code of one block, with the marks and exits that belong to it.
class BlockWriter {
 public:
  BlockWriter(const CacheLayout& layout, Counting counting, std::uint64_t pc,
              std::uint64_t address);

  /// What a place begins with. Before anything else.
  void record_visit(std::size_t place);
  void stop();
  void match(const user_regs_struct& wanted, std::span<const MemoryWord> words);
  /// In front of a `rep` instruction: rcx, rsi and rdi may differ.
  void match_repetition(const user_regs_struct& wanted);

  /// Copies an instruction with Flow::Next or SavesX87.
  void copy(const PlacedInstruction& instruction);
  /// Counts the transfer that the block ends in: in front of an instruction that overwrites flags,
  /// or anywhere.
  void count_before(const PlacedInstruction& flags_overwriter, std::uint32_t lane);
  void count_at(const PlacedInstruction& transfer, std::uint32_t lane);

  /// One of these ends it.
  void transfer(const PlacedInstruction& instruction);
  void trap_in_front_of(ExitKind kind, std::uint64_t pc);
  void go_on_at(std::uint64_t pc);

  /// Writes what lies behind the code proper, and gives all.
  [[nodiscard]] Block finish(std::uint64_t pc_end);
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return out_.bytes(); }

 private:
  void mark(std::uint64_t pc, unsigned state);
  using Comparison = std::pair<Register, std::uint64_t>;
  void leave_unless_rcx_zero(std::vector<std::uint64_t>& differs);
  void compare(std::span<const Comparison> values, std::vector<std::uint64_t>& differs);
  void compare_words(std::span<const MemoryWord> words, std::vector<std::uint64_t>& differs);
  void end_match(std::span<const std::uint64_t> differs);
  void trap(ExitKind kind, std::uint64_t pc);
  void leave_by(std::uint64_t displacement, std::uint64_t pc);
  void copy_at(const PlacedInstruction& instruction, std::span<const std::uint8_t> bytes,
               std::uint64_t end_of_copy);

  void counted_jump(const PlacedInstruction& instruction);
  void indirect(const PlacedInstruction& instruction);
  void return_to_caller(const PlacedInstruction& instruction);
  void load_target(const PlacedInstruction& instruction);
  void push_return_address(const PlacedInstruction& instruction, unsigned state);
  void look_up_target(const PlacedInstruction& instruction);

  /// A lane that has come to 0: where it traps, and where it goes on.
  struct EmptyLane {
    std::uint64_t branch = 0;  ///< address of the displacement that leads there, 0: none
    std::uint64_t back = 0;
    std::uint64_t pc = 0;
    unsigned state = 0;
  };
  void write_empty_lane();

  CacheLayout layout_;
  Counting counting_;
  std::uint64_t pc_;
  Assembler out_;
  Block block_;
  unsigned counted_ = 0;  ///< Mark::kCounted once it is
  EmptyLane near_;        ///< reached by a short jump: written right behind the transfer
  EmptyLane far_;
  std::vector<Exit> ways_out_;  ///< to be written at the end
  std::uint64_t literal_ = 0;   ///< displacement to the return address, 0: none
  bool after_transfer_ = false;
};

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include "replay/translate/block.h"
#include "replay/translate/block_writer.h"
#include "replay/translate/places.h"
#include "replay/translate/program_code.h"

namespace icecore::replay {

/// Why there can be no block at an address.
enum class WhyNot {
  Absent,    ///< there is no code
  Changing,  ///< it may change at any time
  Unknown,   ///< it is no instruction that we know
  TooFar     ///< it refers to data that the cache is too far from
};

/// The instructions that will be one block, and how it ends behind them.
struct BlockPlan {
  enum class End {
    Transfer,  ///< by its last instruction
    Trap,      ///< in front of `end_pc`
    GoOn       ///< at `end_pc`, where another block begins
  };
  std::uint64_t pc = 0;
  std::vector<PlacedInstruction> instructions{};
  End end = End::GoOn;
  ExitKind trap = ExitKind::SystemCall;
  std::uint64_t end_pc = 0;
};

/// Reads one block's instructions at `pc`, to be copied to about `address`. It ends before an
/// address for which `is_border`.
std::variant<BlockPlan, WhyNot> plan_block(ProgramCode& code, std::uint64_t pc,
                                           std::uint64_t address,
                                           const std::function<bool(std::uint64_t)>& is_border);

/// Writes it. `lane` is that of its count, when it counts.
struct WrittenBlock {
  Block block;
  std::vector<std::uint8_t> bytes;
};
WrittenBlock write_block(const BlockPlan& plan, const CacheLayout& layout, std::uint64_t address,
                         const PlaceActions& actions, std::uint32_t lane);
/// The same without counting and for once: it does nothing for places.
WrittenBlock write_precise_block(const BlockPlan& plan, const CacheLayout& layout,
                                 std::uint64_t address);

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/block_plan.h"

#include <algorithm>
#include <optional>
#include <span>

namespace icecore::replay {
namespace {

constexpr std::size_t kMostInstructions = 48;

std::optional<ExitKind> trap_of(Flow flow) {
  switch (flow) {
    case Flow::SystemCall:
      return ExitKind::SystemCall;
    case Flow::Input:
      return ExitKind::Input;
    case Flow::Breakpoint:
      return ExitKind::Breakpoint;
    case Flow::Unsupported:
      return ExitKind::Unsupported;
    default:
      return std::nullopt;
  }
}

/// Whether a copy at about `address` can refer to what the instruction refers to.
bool in_reach(const PlacedInstruction& instruction, std::uint64_t address) {
  const std::uint8_t offset = instruction.form.displacement_offset;
  if (offset == 0) return true;
  std::uint32_t displacement = 0;
  for (unsigned i = 0; i < 4; ++i) {
    displacement |= static_cast<std::uint32_t>(instruction.bytes[offset + i]) << (8 * i);
  }
  const std::uint64_t target =
      instruction.next() + static_cast<std::uint64_t>(static_cast<std::int32_t>(displacement));
  constexpr std::uint64_t kReach = 0x7fff'0000;
  return std::max(target, address) - std::min(target, address) < kReach;
}

std::variant<PlacedInstruction, WhyNot> read_instruction(ProgramCode& code, std::uint64_t pc) {
  PlacedInstruction result;
  result.pc = pc;
  const std::size_t size = code.read(pc, result.bytes);
  if (size == 0) {
    return code.access(pc) == ProgramCode::Access::Changing ? WhyNot::Changing : WhyNot::Absent;
  }
  const auto form = decode(std::span(result.bytes).first(size));
  // What is cut off by the end of the mapping faults, unless what follows may not be read.
  if (!form) {
    if (size == result.bytes.size()) return WhyNot::Unknown;
    return code.access(pc + size) == ProgramCode::Access::Changing ? WhyNot::Changing
                                                                   : WhyNot::Unknown;
  }
  result.form = *form;
  return result;
}

/// The instruction in front of which counting costs least: flags are dead there.
const PlacedInstruction* find_overwriter(std::span<const PlacedInstruction> instructions) {
  const PlacedInstruction* found = nullptr;
  for (const PlacedInstruction& each : instructions) {
    if (each.form.overwrites_flags()) found = &each;
  }
  if (found != nullptr) return found;
  for (const PlacedInstruction& each : instructions) {
    if (each.form.compares_memory()) found = &each;
  }
  return found;
}

/// Counts where it costs least, copies everything, and writes the end.
WrittenBlock write_planned(BlockWriter& writer, const BlockPlan& plan, Counting counting,
                           std::uint32_t lane) {
  const bool transfers = plan.end == BlockPlan::End::Transfer;
  const bool counts = transfers && counting == Counting::Lanes;
  std::span<const PlacedInstruction> copied(plan.instructions);
  if (transfers) copied = copied.first(copied.size() - 1);
  const PlacedInstruction* overwriter = counts ? find_overwriter(copied) : nullptr;
  for (const PlacedInstruction& each : copied) {
    if (&each == overwriter) writer.count_before(each, lane);
    writer.copy(each);
  }
  if (transfers) {
    const PlacedInstruction& last = plan.instructions.back();
    if (counts && overwriter == nullptr) writer.count_at(last, lane);
    writer.transfer(last);
  } else if (plan.end == BlockPlan::End::Trap) {
    writer.trap_in_front_of(plan.trap, plan.end_pc);
  } else {
    writer.go_on_at(plan.end_pc);
  }
  Block block = writer.finish(plan.end_pc);
  return {std::move(block), writer.bytes()};
}

}  // namespace

std::variant<BlockPlan, WhyNot> plan_block(ProgramCode& code, std::uint64_t pc,
                                           std::uint64_t address,
                                           const std::function<bool(std::uint64_t)>& is_border) {
  BlockPlan plan;
  plan.pc = pc;
  plan.end_pc = pc;
  constexpr std::size_t kUsual = 12;
  plan.instructions.reserve(kUsual);
  while (plan.instructions.size() < kMostInstructions) {
    if (plan.end_pc != pc && is_border(plan.end_pc)) break;
    auto read = read_instruction(code, plan.end_pc);
    if (auto* why_not = std::get_if<WhyNot>(&read)) {
      if (plan.instructions.empty()) return *why_not;
      break;  // it may never get there
    }
    const auto& instruction = std::get<PlacedInstruction>(read);
    if (const auto trap = trap_of(instruction.form.flow)) {
      plan.end = BlockPlan::End::Trap;
      plan.trap = *trap;
      break;
    }
    if (!in_reach(instruction, address)) {
      if (plan.instructions.empty()) return WhyNot::TooFar;
      break;
    }
    plan.instructions.push_back(instruction);
    plan.end_pc = instruction.next();
    if (instruction.form.flow != Flow::Next && instruction.form.flow != Flow::SavesX87) {
      plan.end = BlockPlan::End::Transfer;
      break;
    }
  }
  return plan;
}

WrittenBlock write_block(const BlockPlan& plan, const CacheLayout& layout, std::uint64_t address,
                         const PlaceActions& actions, std::uint32_t lane) {
  BlockWriter writer(layout, Counting::Lanes, plan.pc, address);
  if (actions.stop) {
    writer.stop();
  } else {
    if (actions.record) writer.record_visit(*actions.record);
    if (actions.match) {
      const bool repeats =
          !plan.instructions.empty() && plan.instructions.front().form.is_repeated_string();
      if (repeats) {
        writer.match_repetition(*actions.match);
      } else {
        writer.match(*actions.match, actions.words);
      }
    }
  }
  return write_planned(writer, plan, Counting::Lanes, lane);
}

WrittenBlock write_precise_block(const BlockPlan& plan, const CacheLayout& layout,
                                 std::uint64_t address) {
  BlockWriter writer(layout, Counting::Precise, plan.pc, address);
  return write_planned(writer, plan, Counting::Precise, 0);
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/code_cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "replay/translate/assembler.h"

namespace icecore::replay {
namespace {

/// How many blocks are made ahead at a stop for one that is missing: a stop costs 6 us, a block
/// less than one.
constexpr std::size_t kAhead = 32;
constexpr std::uint64_t kRoomForOne = 16384;
constexpr std::uint64_t kJumpSize = 5;

bool reaches(std::uint64_t from, std::uint64_t to) {
  const auto distance = static_cast<std::int64_t>(to - from);
  return distance == static_cast<std::int32_t>(distance);
}

std::array<std::uint8_t, 4> displacement(std::uint64_t at, std::uint64_t target) {
  const std::uint64_t value = target - (at + 4);
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8U),
          static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 24U)};
}

}  // namespace

CodeCache::CodeCache(int tid, const std::vector<AddressRange>& keep_free)
    : memory_(tid, keep_free), program_(tid) {
  constexpr std::size_t kBlocksOfASmallProgram = 8192;
  by_pc_.reserve(kBlocksOfASmallProgram);
  waiting_.reserve(kBlocksOfASmallProgram);
}

const Block* CodeCache::known(std::uint64_t pc) const {
  const auto found = by_pc_.find(pc);
  return found == by_pc_.end() ? nullptr : found->second;
}

std::variant<std::uint64_t, WhyNot> CodeCache::block_at(std::uint64_t pc) {
  if (const Block* block = known(pc)) return block->code;
  const Made made = make_block(pc);
  if (const auto* why_not = std::get_if<WhyNot>(&made)) return *why_not;
  const Block& block = *std::get<const Block*>(made);
  make_successors(block);
  return block.code;
}

std::variant<std::uint64_t, WhyNot> CodeCache::target_block_at(std::uint64_t pc) {
  const auto code = block_at(pc);
  if (std::holds_alternative<std::uint64_t>(code)) add_target(*known(pc));
  return code;
}

std::variant<std::uint64_t, WhyNot> CodeCache::follow(const Exit& link) {
  const auto code = block_at(link.pc);
  // In front of a block that was replaced; other links are connected when their block is made.
  if (const auto* address = std::get_if<std::uint64_t>(&code);
      address != nullptr && link.patch == 0) {
    memory_.write(link.address, std::array<std::uint8_t, 1>{0xe9});
    lead_to({link.address, ExitKind::Link, link.pc, link.address + 1, false}, *address);
  }
  return code;
}

/// Those that `first` can go to, breadth first, and where its calls return to.
void CodeCache::make_successors(const Block& first) {
  std::deque<const Block*> open{&first};
  std::size_t left = kAhead;
  const auto visit = [&](std::uint64_t pc) -> const Block* {
    if (const Block* block = known(pc)) return block;
    if (left == 0) return nullptr;
    const Made made = make_block(pc);
    if (std::holds_alternative<WhyNot>(made)) return nullptr;
    --left;
    open.push_back(std::get<const Block*>(made));
    return open.back();
  };
  while (!open.empty() && left > 0) {
    const Block& block = *open.front();
    open.pop_front();
    for (const Exit& exit : block.exits) {
      if (exit.kind == ExitKind::Link) visit(exit.pc);
    }
    if (block.return_pc == 0) continue;
    if (const Block* after = visit(block.return_pc)) add_target(*after);
  }
}

CodeCache::Made CodeCache::make_block(std::uint64_t pc) {
  Arena& arena = memory_.arena_near(pc);
  const std::uint64_t address = arena.next();
  if (arena.used + kRoomForOne > Arena::kSize) return WhyNot::TooFar;
  memory_.need_table();
  auto planned =
      plan_block(program_, pc, address, [this](std::uint64_t at) { return places_.contains(at); });
  if (const auto* why_not = std::get_if<WhyNot>(&planned)) return *why_not;
  const auto place = places_.find(pc);
  lane_ = (lane_ + 1) % CacheLayout::kLanes;
  WrittenBlock written =
      write_block(std::get<BlockPlan>(planned), memory_.layout(), address,
                  place == places_.end() ? PlaceActions{} : place->second, lane_);
  memory_.write(address, written.bytes);
  arena.used += written.bytes.size();
  const Block& block = keep(std::move(written.block));
  connect(block);
  return &block;
}

const Block& CodeCache::keep(Block block) {
  has_x87_ = has_x87_ || block.has_x87;
  const Block& kept = blocks_.insert_or_assign(block.code, std::move(block)).first->second;
  by_pc_[kept.pc] = &kept;
  return kept;
}

/// The ways out of it to blocks that are there, and the ways of others to it.
void CodeCache::connect(const Block& block) {
  for (const Exit& exit : block.exits) {
    if (exit.kind != ExitKind::Link) continue;
    if (const Block* next = known(exit.pc)) {
      lead_to(exit, next->code);
    } else {
      waiting_.emplace(exit.pc, exit);
    }
  }
  const auto [first, last] = waiting_.equal_range(block.pc);
  for (auto waiting = first; waiting != last; ++waiting) lead_to(waiting->second, block.code);
  waiting_.erase(first, last);
}

void CodeCache::lead_to(const Exit& exit, std::uint64_t target) {
  if (reaches(exit.patch + 4, target)) {
    memory_.write(exit.patch, displacement(exit.patch, target));
    return;
  }
  // Into another arena: by a jump that holds the whole address, in the arena of the exit.
  for (Arena& arena : memory_.arenas()) {
    if (!arena.contains(exit.address) || arena.used + 16 > Arena::kSize) continue;
    const std::uint64_t bridge = arena.next();
    memory_.write(bridge, std::array<std::uint8_t, 6>{0xff, 0x25, 0, 0, 0, 0});
    memory_.write_word(bridge + 6, target);
    arena.used += 14;
    memory_.write(exit.patch, displacement(exit.patch, bridge));
  }
}

/// A row of the table leads to the newest target with these low 16 bits; its code compares the
/// whole address, without flags, and goes to the one before when it is another.
void CodeCache::add_target(const Block& block) {
  std::uint64_t& target = targets_[block.pc];
  if (target != 0) return;
  if (heads_.empty()) heads_.assign(CacheLayout::kTableRows, memory_.miss());
  Arena& arena = memory_.arena_near(block.pc);
  const CacheLayout& layout = memory_.layout();
  Assembler out(arena.next());
  out.load_immediate(Register::Rax, 0 - block.pc);
  out.add(Register::Rcx, Register::Rax);
  const std::uint64_t hit = out.jump_if_rcx_zero();
  out.load(Register::Rcx, layout.target());
  std::uint64_t& head = heads_[block.pc % CacheLayout::kTableRows];
  out.raw(std::array<std::uint8_t, 6>{0xff, 0x25, 0, 0, 0, 0});  // jmp [rip]
  out.word64(head);
  out.bind_short(hit);
  out.load(Register::Rax, layout.rax());
  out.load(Register::Rcx, layout.rcx());
  out.jump_to(block.code);
  target = head = arena.next();
  arena.used += out.bytes().size();
  memory_.write(head, out.bytes());
  memory_.write_word(layout.table() + block.pc % CacheLayout::kTableRows * 8, head);
}

std::variant<std::uint64_t, WhyNot> CodeCache::precise_block_at(std::uint64_t pc,
                                                                std::uint64_t border) {
  const Arena& arena = memory_.arena_near(pc);
  const std::uint64_t address = arena.base + Arena::kScratch;
  const auto planned = plan_block(program_, pc, address, [&](std::uint64_t at) {
    return at == border || places_.contains(at);
  });
  if (const auto* why_not = std::get_if<WhyNot>(&planned)) return *why_not;
  WrittenBlock written =
      write_precise_block(std::get<BlockPlan>(planned), memory_.layout(), address);
  memory_.write(address, written.bytes);
  precise_ = std::move(written.block);
  has_x87_ = has_x87_ || precise_.has_x87;
  return address;
}

const Block* CodeCache::block_around(std::uint64_t address) const {
  if (address >= precise_.code && address < precise_.code_end) return &precise_;
  const auto after = blocks_.upper_bound(address);
  if (after == blocks_.begin()) return nullptr;
  const Block& block = std::prev(after)->second;
  return address < block.code_end ? &block : nullptr;
}

const Exit* CodeCache::exit_at(std::uint64_t address) const {
  const auto front = fronts_.find(address);
  if (front != fronts_.end()) return &front->second;
  const Block* block = block_around(address);
  if (block == nullptr) return nullptr;
  const auto exit = std::ranges::find(block->exits, address, &Exit::address);
  return exit == block->exits.end() ? nullptr : &*exit;
}

std::optional<CodeCache::Origin> CodeCache::origin_of(std::uint64_t address) const {
  const Block* block = block_around(address);
  if (block == nullptr) return std::nullopt;
  const auto after = std::ranges::upper_bound(block->marks, address - block->code, {},
                                              [](const Mark& mark) { return mark.offset; });
  if (after == block->marks.begin()) return std::nullopt;
  return Origin{block->pc + std::prev(after)->pc_offset, std::prev(after)->state};
}

void CodeCache::set_places(PlaceMap places) {
  const PlaceMap before = std::exchange(places_, std::move(places));
  const auto same = [](const PlaceActions& one, const PlaceActions& other) {
    return one.stop == other.stop && one.record == other.record && !one.match && !other.match;
  };
  for (const auto& [address, actions] : before) {
    const auto now = places_.find(address);
    if (now == places_.end() || !same(now->second, actions)) replace_blocks_with(address);
  }
  for (const auto& [address, actions] : places_) {
    if (!before.contains(address)) replace_blocks_with(address);
  }
}

/// Jumps into them lead on to their successors: the first visit makes one, and an int3 in front of
/// them is turned into a jump to it.
void CodeCache::replace_blocks_with(std::uint64_t address) {
  std::vector<const Block*> hit;
  for (const auto& [pc, block] : by_pc_) {
    if (pc == address || (pc < address && address < block->pc_end)) hit.push_back(block);
  }
  for (const Block* block : hit) {
    by_pc_.erase(block->pc);
    memory_.write(block->code, std::array<std::uint8_t, kJumpSize>{0xcc, 0, 0, 0, 0});
    const Exit front{block->code, ExitKind::Link, block->pc, 0, false};
    fronts_[block->code] = front;
  }
}

bool CodeCache::is_full() {
  return std::ranges::any_of(memory_.arenas(), [](const Arena& arena) {
    return arena.used + (kAhead + 2) * kRoomForOne > Arena::kSize;
  });
}

void CodeCache::forget() {
  program_.forget();
  blocks_.clear();
  by_pc_.clear();
  fronts_.clear();
  waiting_.clear();
  targets_.clear();
  heads_.clear();
  has_x87_ = false;
  for (Arena& arena : memory_.arenas()) arena.used = Arena::kFirstBlock;
  memory_.clear_table();
}

}  // namespace icecore::replay

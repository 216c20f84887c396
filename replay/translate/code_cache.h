// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "replay/translate/block.h"
#include "replay/translate/block_plan.h"
#include "replay/translate/cache_memory.h"
#include "replay/translate/places.h"
#include "replay/translate/program_code.h"

namespace icecore::replay {

/// The translated blocks of one process: made when the execution gets there, with those that can
/// follow; connected by jumps as far as they are known, and by the table of CacheLayout where a
/// jump's target is data.
class CodeCache {
 public:
  explicit CodeCache(int tid, const std::vector<AddressRange>& keep_free);

  [[nodiscard]] CacheMemory& memory() { return memory_; }
  [[nodiscard]] ProgramCode& program() { return program_; }

  /// The address of the code for `pc`.
  std::variant<std::uint64_t, WhyNot> block_at(std::uint64_t pc);
  /// The same, and indirect jumps find it from now on.
  std::variant<std::uint64_t, WhyNot> target_block_at(std::uint64_t pc);
  /// The address of the code that a Link leads to, connected with it.
  std::variant<std::uint64_t, WhyNot> follow(const Exit& link);
  /// A block for one use: until the next one.
  std::variant<std::uint64_t, WhyNot> precise_block_at(std::uint64_t pc, std::uint64_t border);

  /// What the int3 at `address` means.
  [[nodiscard]] const Exit* exit_at(std::uint64_t address) const;
  /// What the code at `address` is doing: a block's pc and the mark that holds there.
  struct Origin {
    std::uint64_t pc = 0;
    unsigned state = 0;
  };
  [[nodiscard]] std::optional<Origin> origin_of(std::uint64_t address) const;
  /// Some code of x87 was translated since forget().
  [[nodiscard]] bool has_x87() const { return has_x87_; }
  /// Some of it in the precise block, which the next one overwrites.
  [[nodiscard]] bool has_x87_for_once() const { return precise_.has_x87; }

  [[nodiscard]] const PlaceMap& places() const { return places_; }
  /// Blocks with an address whose actions change are made anew. Blocks that run to its middle too.
  void set_places(PlaceMap places);
  [[nodiscard]] std::size_t block_count() const { return blocks_.size(); }
  /// Drops all blocks.
  void forget();
  /// It should be forgotten before more is made.
  [[nodiscard]] bool is_full();

 private:
  using Made = std::variant<const Block*, WhyNot>;
  Made make_block(std::uint64_t pc);
  void make_successors(const Block& first);
  const Block* known(std::uint64_t pc) const;
  [[nodiscard]] const Block* block_around(std::uint64_t address) const;
  const Block& keep(Block block);
  void connect(const Block& block);
  void lead_to(const Exit& exit, std::uint64_t target);
  void add_target(const Block& block);
  void replace_blocks_with(std::uint64_t address);

  CacheMemory memory_;
  ProgramCode program_;
  PlaceMap places_;
  std::map<std::uint64_t, Block> blocks_;                  ///< by address of their code
  std::unordered_map<std::uint64_t, const Block*> by_pc_;  ///< those in use
  std::unordered_map<std::uint64_t, Exit> fronts_;         ///< of replaced blocks, by address
  std::unordered_multimap<std::uint64_t, Exit> waiting_;   ///< links by the pc they lack
  std::vector<std::uint64_t> heads_;  ///< the table: the newest target of each row
  std::unordered_map<std::uint64_t, std::uint64_t> targets_;  ///< in the table, by pc
  Block precise_;
  std::uint32_t lane_ = 0;
  bool has_x87_ = false;
};

}  // namespace icecore::replay

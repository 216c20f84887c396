// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/transfer_counter.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace icecore::replay {
namespace {

std::uint64_t sum(std::span<const std::uint64_t> lanes) {
  return std::accumulate(lanes.begin(), lanes.end(), std::uint64_t{0});
}

}  // namespace

void TransferCounter::arm(CacheMemory& memory, std::uint64_t budget) {
  const std::uint64_t each = budget / CacheLayout::kLanes;
  for (std::uint32_t lane = 0; lane < CacheLayout::kLanes; ++lane) {
    memory.write_word(memory.layout().lane(lane), each);
  }
  armed_ = each * CacheLayout::kLanes;
}

void TransferCounter::settle(const CacheMemory& memory) {
  const CacheLayout& layout = memory.layout();
  const std::uint64_t start = layout.lane(0);
  std::vector<std::uint64_t> words((layout.visits(visits_.size()) - start) / 8);
  memory.read(start, words);
  const std::span<const std::uint64_t> all(words);
  for (std::size_t place = 0; place < visits_.size(); ++place) {
    const auto slot = all.subspan((layout.visits(place) - start) / 8, CacheLayout::kVisitWords);
    if (slot[0] == seen_[place]) continue;
    Visits& visits = visits_[place];
    visits.count += slot[0] - seen_[place];
    seen_[place] = slot[0];
    visits.last = ExecutionPoint{transfers_ + armed_ - sum(slot.subspan(1)), visits.address, 0};
  }
  const std::uint64_t left = sum(all.first(CacheLayout::kLanes));
  transfers_ += armed_ - left;
  armed_ = left;
}

void TransferCounter::restart() {
  transfers_ = 0;
  for (Visits& visits : visits_) visits = Visits{visits.address};
}

void TransferCounter::set_places(CacheMemory* memory, const std::vector<std::uint64_t>& addresses) {
  std::vector<Visits> next;
  for (const std::uint64_t address : addresses) {
    const auto known = std::ranges::find(visits_, address, &Visits::address);
    next.push_back(known == visits_.end() ? Visits{address} : *known);
    if (memory != nullptr) memory->write_word(memory->layout().visits(next.size() - 1), 0);
  }
  visits_ = std::move(next);
  seen_.assign(visits_.size(), 0);
}

void TransferCounter::visit(std::size_t place) {
  ++visits_[place].count;
  visits_[place].last = ExecutionPoint{transfers_, visits_[place].address, 0};
}

}  // namespace icecore::replay

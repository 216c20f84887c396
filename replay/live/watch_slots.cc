// SPDX-License-Identifier: Apache-2.0
#include "replay/live/watch_slots.h"

#include <algorithm>

#include "base/error.h"

namespace icecore::replay {
namespace {

using gdbstub::Breakpoint;

struct Piece {
  std::uint64_t address;
  std::uint64_t size;
};

/// A register watches 1, 2, 4 or 8 bytes at an address that is a multiple of that.
std::vector<Piece> pieces_of(const Breakpoint& breakpoint) {
  if (breakpoint.kind == Breakpoint::Kind::Hardware) return {{breakpoint.address, 1}};
  std::vector<Piece> pieces;
  std::uint64_t address = breakpoint.address;
  for (std::uint64_t left = breakpoint.size; left > 0;) {
    std::uint64_t size = 8;
    while (size > left || address % size != 0) size /= 2;
    pieces.push_back({address, size});
    if (pieces.size() > 4) break;
    address += size;
    left -= size;
  }
  return pieces;
}

/// The R/W field of DR7: 0 execution, 1 writes, 3 reads and writes.
std::uint64_t access_bits(Breakpoint::Kind kind) {
  if (kind == Breakpoint::Kind::Hardware) return 0;
  return kind == Breakpoint::Kind::WriteWatch ? 1 : 3;
}

std::uint64_t length_bits(std::uint64_t size) { return size == 8 ? 2 : size - 1; }

}  // namespace

std::optional<std::size_t> WatchSlots::find(const Breakpoint& user, std::uint64_t address,
                                            std::uint64_t size) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.size == size && slot.address == address &&
        access_bits(slot.users.front().kind) == access_bits(user.kind)) {
      return i;
    }
  }
  return std::nullopt;
}

void WatchSlots::insert(const Breakpoint& breakpoint) {
  remove(breakpoint);
  const auto before = slots_;
  for (const auto& [address, size] : pieces_of(breakpoint)) {
    const auto same = find(breakpoint, address, size);
    const auto free = std::ranges::find(slots_, 0U, &Slot::size);
    if (!same && free == slots_.end()) {
      slots_ = before;
      throw Error("no debug register is free: amd64 has four, each for up to 8 aligned bytes");
    }
    Slot& slot = same ? slots_[*same] : *free;
    slot.address = address;
    slot.size = size;
    slot.users.push_back(breakpoint);
  }
}

void WatchSlots::remove(const Breakpoint& breakpoint) {
  for (Slot& slot : slots_) {
    std::erase(slot.users, breakpoint);
    if (slot.users.empty()) slot = Slot{};
  }
}

void WatchSlots::clear() { slots_ = {}; }

bool WatchSlots::empty() const {
  return std::ranges::all_of(slots_, [](const Slot& slot) { return slot.size == 0; });
}

bool WatchSlots::has(std::uint64_t address) const {
  return std::ranges::any_of(slots_, [address](const Slot& slot) {
    return std::ranges::find(slot.users, address, &Breakpoint::address) != slot.users.end();
  });
}

WatchSlots::Registers WatchSlots::registers() const {
  Registers registers;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.size == 0) continue;
    registers.addresses[i] = slot.address;
    const std::uint64_t field = access_bits(slot.users.front().kind) | length_bits(slot.size) << 2U;
    registers.control |= std::uint64_t{1} << (2 * i) | field << (16 + 4 * i);
  }
  return registers;
}

std::optional<Breakpoint> WatchSlots::hit(std::uint64_t status) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if ((status >> i & 1U) != 0 && slots_[i].size != 0) return slots_[i].users.front();
  }
  return std::nullopt;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/record/watched_memory.h"

#include <algorithm>
#include <bit>
#include <span>

#include "base/error.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

constexpr std::size_t kRegisters = 4;
constexpr unsigned kStatus = 6;
constexpr unsigned kControl = 7;

/// Bits 16 and up of the control register, four for each: what to stop at, and log2 of the size
/// (with 8 bytes written as 2).
std::uint64_t control_bits(std::size_t index, WatchedMemory::Kind kind, std::uint64_t size) {
  const std::uint64_t access = kind == WatchedMemory::Kind::Change ? 1 : 3;
  const std::uint64_t length = size == 8 ? 2 : size - 1;
  return 1ULL << (index * 2) | (access | length << 2U) << (16 + index * 4);
}

std::string value_of(const TracedMemory& memory, const WatchedMemory& watch) {
  std::string value(watch.size, '\0');
  value.resize(memory.read_some(watch.address, std::as_writable_bytes(std::span(value))));
  return value;
}

}  // namespace

void WatchRegisters::arm(int pid, const TracedMemory& memory,
                         const std::vector<WatchedMemory>& watches) {
  const bool changed = watches != watches_;
  watches_ = watches;
  values_.clear();
  for (const auto& watch : watches_) values_.push_back(value_of(memory, watch));
  if (!changed) return;
  registers_.clear();
  for (const auto& watch : watches_) {
    for (std::uint64_t at = watch.address; at < watch.address + watch.size;) {
      const std::uint64_t rest = watch.address + watch.size - at;
      const std::uint64_t aligned = at % 8 == 0 ? 8 : at & (~at + 1);
      const std::uint64_t size = std::min(aligned, std::bit_floor(rest));
      registers_.push_back({watch, at, size});
      at += size;
    }
  }
  if (registers_.size() > kRegisters) {
    throw Error("more memory is watched than the four debug registers of the CPU can hold");
  }
  std::uint64_t control = 0;
  ptrace_call::set_debug_register(pid, kControl, 0);
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    ptrace_call::set_debug_register(pid, static_cast<unsigned>(i), registers_[i].address);
    control |= control_bits(i, registers_[i].whole.kind, registers_[i].size);
  }
  if (control != 0) ptrace_call::set_debug_register(pid, kControl, control);
}

std::optional<WatchedMemory> WatchRegisters::take_hit(int pid, const TracedMemory& memory) {
  if (watches_.empty()) return std::nullopt;
  const std::uint64_t status = ptrace_call::debug_register(pid, kStatus).value_or(0);
  if ((status & 0xf) != 0) ptrace_call::set_debug_register(pid, kStatus, 0);
  std::optional<WatchedMemory> hit;
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    const bool accessed = (status >> i & 1U) != 0;
    if (accessed && registers_[i].whole.kind == WatchedMemory::Kind::Access) {
      hit = registers_[i].whole;
    }
  }
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    std::string value = value_of(memory, watches_[i]);
    if (value == values_[i]) continue;
    values_[i] = std::move(value);
    if (!hit) hit = watches_[i];
  }
  return hit;
}

}  // namespace icecore::replay

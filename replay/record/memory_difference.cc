// SPDX-License-Identifier: Apache-2.0
#include "replay/record/memory_difference.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <optional>
#include <ranges>
#include <span>
#include <string>

#include "replay/record/memory_map.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPiece = 256 * 1024;
constexpr std::uint64_t kRedZone = 128;

/// Bytes that are not compared.
class Hidden {
 public:
  /// Numbers of CPUs that the kernel writes when it likes (rseq(2)): no two runs agree on them.
  explicit Hidden(int pid, std::span<const MemoryWrite> overwritten = {}) {
    const auto area = snapshot::ptrace_call::rseq(pid);
    if (area) ranges_.emplace_back(area->address, area->address + area->length);
    for (const auto& write : overwritten) {
      ranges_.emplace_back(write.address, write.address + write.bytes.size());
    }
  }
  /// Zeros them in `bytes`, which are from `address` on.
  void hide(std::uint64_t address, std::span<std::byte> bytes) const {
    for (const auto& [first, last] : ranges_) {
      const std::uint64_t start = std::max(address, first);
      const std::uint64_t end = std::min(address + bytes.size(), last);
      if (start < end) {
        std::ranges::fill(bytes.subspan(start - address, end - start), std::byte{0});
      }
    }
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

using Found = std::function<bool(std::uint64_t address, std::span<const std::byte> before,
                                 std::span<const std::byte> after)>;

std::vector<MappedRange> compared_ranges(const ComparedProcess& process) {
  std::vector<MappedRange> result;
  for (auto& mapping : mappings_of(process.pid)) {
    if (!mapping.writable || mapping.shared) continue;
    if (mapping.start < process.stack_pointer && process.stack_pointer <= mapping.end) {
      mapping.start = std::max(mapping.start, (process.stack_pointer - kRedZone));
    }
    result.push_back(std::move(mapping));
  }
  // What differs between two moments is on the stack most of the time, which is last.
  std::ranges::reverse(result);
  return result;
}

/// Calls `found` for each page that differs until it answers false.
bool for_each_difference(const ComparedProcess& before, const ComparedProcess& after,
                         const Hidden& hidden, const Found& found) {
  std::vector<std::byte> first(kPiece);
  std::vector<std::byte> second(kPiece);
  for (const auto& range : compared_ranges(after)) {
    for (std::uint64_t address = range.start; address < range.end;) {
      const std::size_t size = std::min<std::uint64_t>(kPiece, range.end - address);
      const auto one = std::span(first).first(size);
      const auto other = std::span(second).first(size);
      const std::size_t in_one = before.memory.read_some(address, one);
      const std::size_t in_other = after.memory.read_some(address, other);
      // A stack has grown in one of them: what is not there yet is zeros.
      std::ranges::fill(one.subspan(in_one), std::byte{0});
      std::ranges::fill(other.subspan(in_other), std::byte{0});
      hidden.hide(address, one);
      hidden.hide(address, other);
      if (std::memcmp(one.data(), other.data(), size) != 0) {
        for (std::size_t at = 0; at < size;) {
          const std::size_t length = std::min(kPage - (address + at) % kPage, size - at);
          if (std::memcmp(one.data() + at, other.data() + at, length) != 0 &&
              !found(address + at, one.subspan(at, length), other.subspan(at, length))) {
            return false;
          }
          at += length;
        }
      }
      address += size;
    }
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> first_difference(const ComparedProcess& one,
                                              const ComparedProcess& other,
                                              std::span<const MemoryWrite> overwritten) {
  std::optional<std::uint64_t> place;
  const Hidden hidden(other.pid, overwritten);
  for_each_difference(one, other, hidden, [&](std::uint64_t address, auto before, auto after) {
    const auto at = std::ranges::mismatch(before, after).in1 - before.begin();
    place = (address + static_cast<std::uint64_t>(at)) & ~7ULL;
    return false;
  });
  return place;
}

std::vector<MemoryWrite> changed_memory(const ComparedProcess& before,
                                        const ComparedProcess& after) {
  std::vector<MemoryWrite> result;
  const Hidden hidden(after.pid);
  for_each_difference(before, after, hidden, [&](std::uint64_t address, auto old, auto now) {
    const auto first = std::ranges::mismatch(old, now).in1 - old.begin();
    const auto last =
        std::ranges::mismatch(old | std::views::reverse, now | std::views::reverse).in1.base() -
        old.begin();
    const auto changed =
        now.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    result.push_back({address + static_cast<std::uint64_t>(first),
                      std::string(reinterpret_cast<const char*>(changed.data()), changed.size())});
    return true;
  });
  return result;
}

std::uint64_t writable_size(int pid) {
  std::uint64_t size = 0;
  for (const auto& mapping : mappings_of(pid)) {
    if (mapping.writable && !mapping.shared) size += mapping.end - mapping.start;
  }
  return size;
}

}  // namespace icecore::replay

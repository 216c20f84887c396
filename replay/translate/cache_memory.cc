// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/cache_memory.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::replay {
namespace {

using snapshot::inject_call;

/// Farther than this from code, its copies might not reach the data that the code reaches.
constexpr std::uint64_t kReach = 0x5000'0000;
constexpr std::uint64_t kLowest = 0x10000;  // vm.mmap_min_addr
constexpr std::uint64_t kHighest = 0x7fff'ffff'e000;

struct Window {
  std::uint64_t low;
  std::uint64_t high;
};

/// The middle of the widest hole in `window`: heaps and stacks grow and the kernel maps at the
/// edges of holes. 0: there is none.
std::uint64_t middle_of_widest_hole(const std::vector<AddressRange>& taken, Window window,
                                    std::uint64_t size) {
  std::uint64_t best = 0;
  std::uint64_t best_width = size + 8192;
  std::uint64_t from = window.low;
  const auto consider = [&](std::uint64_t until) {
    until = std::min(until, window.high);
    if (until > from && until - from > best_width) {
      best_width = until - from;
      best = (from + (best_width - size) / 2) & ~0xfffULL;
    }
  };
  for (const AddressRange& range : taken) {
    consider(range.start);
    from = std::max(from, range.end);
  }
  consider(window.high);
  return best;
}

/// `syscall` in the vdso, which every process has unless it took pains.
std::uint64_t find_system_call(int tid, const std::vector<AddressRange>& mapped) {
  for (const AddressRange& range : mapped) {
    if (range.name != "[vdso]") continue;
    std::vector<std::byte> code(range.end - range.start);
    if (!snapshot::read_process(tid, range.start, code)) break;
    constexpr std::array kSyscall{std::byte{0x0f}, std::byte{0x05}};
    const auto found = std::search(code.begin(), code.end(), kSyscall.begin(), kSyscall.end());
    if (found != code.end()) {
      return range.start + static_cast<std::uint64_t>(found - code.begin());
    }
  }
  throw Refused("process " + std::to_string(tid) +
                ": it has no vdso, through which the code cache would be mapped");
}

}  // namespace

CacheMemory::CacheMemory(int tid, std::vector<AddressRange> keep_free)
    : tid_(tid), taken_(std::move(keep_free)) {
  const std::vector<AddressRange> mapped = mapped_now(tid);
  instruction_ = find_system_call(tid, mapped);
  taken_.insert(taken_.end(), mapped.begin(), mapped.end());
  std::ranges::sort(taken_, {}, &AddressRange::start);
  constexpr std::uint64_t kAbsolutelyAddressed = 0x7fff'0000;
  layout_.base = middle_of_widest_hole(taken_, {kLowest, kAbsolutelyAddressed}, CacheLayout::kSize);
  if (layout_.base == 0) {
    throw Refused("process " + std::to_string(tid) + ": no room below 2 GiB for the code cache");
  }
  map(layout_.base, CacheLayout::kSize, PROT_READ | PROT_WRITE);
}

CacheMemory::~CacheMemory() {
  try {
    inject_call(tid_, instruction_, SYS_munmap, {layout_.base, CacheLayout::kSize});
    for (const Arena& arena : arenas_) {
      inject_call(tid_, instruction_, SYS_munmap, {arena.base, Arena::kSize});
    }
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("taking the code cache away: ") + error.what());
  }
}

void CacheMemory::map(std::uint64_t address, std::uint64_t size, int protection) {
  constexpr auto kFlags =
      std::uint64_t{MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE};
  const std::int64_t result =
      inject_call(tid_, instruction_, SYS_mmap,
                  {address, size, static_cast<std::uint64_t>(protection), kFlags, ~0ULL, 0})
          .result;
  if (result < 0) throw_errno("mapping the code cache", static_cast<int>(-result));
  taken_.push_back({address, address + size, ""});
  std::ranges::sort(taken_, {}, &AddressRange::start);
}

Arena& CacheMemory::arena_near(std::uint64_t pc) {
  for (Arena& arena : arenas_) {
    const std::uint64_t low = std::min(arena.base, pc);
    const std::uint64_t high = std::max(arena.base + Arena::kSize, pc);
    if (high - low < kReach) return arena;
  }
  const Window window{pc > kReach + kLowest ? pc - kReach : kLowest,
                      std::min(pc + kReach, kHighest)};
  const std::uint64_t base = middle_of_widest_hole(taken_, window, Arena::kSize);
  if (base == 0) throw Refused("no room for a code cache near the code");
  map(base, Arena::kSize, PROT_READ | PROT_WRITE | PROT_EXEC);
  arenas_.push_back({base});
  write(base, std::array<std::uint8_t, 1>{0xcc});
  return arenas_.back();
}

bool CacheMemory::contains(std::uint64_t address) const {
  return std::ranges::any_of(arenas_, [&](const Arena& arena) { return arena.contains(address); });
}

void CacheMemory::write(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  pieces_.push_back({address, bytes_.size(), bytes.size()});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void CacheMemory::write_word(std::uint64_t address, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  write(address, bytes);
}

void CacheMemory::flush() {
  constexpr std::size_t kMostPieces = 1024;  // UIO_MAXIOV
  for (std::size_t first = 0; first < pieces_.size(); first += kMostPieces) {
    const std::size_t count = std::min(kMostPieces, pieces_.size() - first);
    std::vector<iovec> local;
    std::vector<iovec> remote;
    ssize_t size = 0;
    for (const Piece& piece : std::span(pieces_).subspan(first, count)) {
      local.push_back({bytes_.data() + piece.offset, piece.size});
      remote.push_back({reinterpret_cast<void*>(piece.address), piece.size});
      size += static_cast<ssize_t>(piece.size);
    }
    if (::process_vm_writev(tid_, local.data(), count, remote.data(), count, 0) != size) {
      throw_errno("writing the code cache of process " + std::to_string(tid_));
    }
  }
  pieces_.clear();
  bytes_.clear();
}

void CacheMemory::read(std::uint64_t address, std::span<std::uint64_t> words) const {
  if (!snapshot::read_process(tid_, address, std::as_writable_bytes(words))) {
    throw_errno("reading the code cache of process " + std::to_string(tid_));
  }
}

void CacheMemory::need_table() {
  if (std::exchange(table_is_clear_, true)) return;
  const std::vector<std::uint64_t> rows(CacheLayout::kTableRows, miss());
  const std::size_t size = rows.size() * sizeof rows[0];
  pieces_.push_back({layout_.table(), bytes_.size(), size});
  bytes_.resize(bytes_.size() + size);
  std::memcpy(bytes_.data() + bytes_.size() - size, rows.data(), size);
}

}  // namespace icecore::replay

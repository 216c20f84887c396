// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/image_memory.h"

#include <algorithm>
#include <array>

namespace icecore::symbols {
namespace {

constexpr std::uint64_t kPageSize = 4096;
// A stack walk touches few pages; garbage frames must not fill our memory.
constexpr std::size_t kMaxPages = 1024;

}  // namespace

std::vector<std::byte> read_bytes(const ProcessImage& image, std::uint64_t address,
                                  std::size_t size) {
  std::vector<std::byte> bytes(size);
  bytes.resize(image.read_memory(address, bytes));
  return bytes;
}

const model::Mapping* find_mapping(const model::Process& process, std::uint64_t address) {
  const auto& mappings = process.mappings();
  const auto after = std::upper_bound(
      mappings.begin(), mappings.end(), address,
      [](std::uint64_t wanted, const model::Mapping& mapping) { return wanted < mapping.start(); });
  if (after == mappings.begin()) return nullptr;
  const model::Mapping& candidate = *std::prev(after);
  return address < candidate.end() ? &candidate : nullptr;
}

const std::vector<std::byte>& PageCache::page(std::uint64_t index) {
  if (const auto found = pages_.find(index); found != pages_.end()) return found->second;
  if (pages_.size() >= kMaxPages) pages_.clear();
  return pages_.emplace(index, read_bytes(image_, index * kPageSize, kPageSize)).first->second;
}

std::optional<std::uint64_t> PageCache::read_word(std::uint64_t address) {
  std::array<std::byte, sizeof(std::uint64_t)> word;
  if (address > ~std::uint64_t{0} - word.size()) return std::nullopt;
  for (std::size_t done = 0; done < word.size();) {
    const std::uint64_t from = (address + done) % kPageSize;
    const std::vector<std::byte>& bytes = page((address + done) / kPageSize);
    if (from >= bytes.size()) return std::nullopt;
    const std::size_t count = std::min<std::size_t>(word.size() - done, bytes.size() - from);
    std::memcpy(word.data() + done, bytes.data() + from, count);
    done += count;
  }
  std::uint64_t value;
  std::memcpy(&value, word.data(), sizeof value);
  return value;
}

}  // namespace icecore::symbols

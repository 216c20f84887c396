// SPDX-License-Identifier: Apache-2.0
#include "cli/memory_diff.h"

#include <algorithm>
#include <array>

#include "cli/mapping_text.h"

namespace icecore::cli {
namespace {

using Page = std::array<std::byte, store::kPageSize>;

/// One process at two moments.
struct Pair {
  const snapshot::StoredSnapshot& before;
  const model::Process& process_before;
  const snapshot::StoredSnapshot& after;
  const model::Process& process_after;
};

/// How many bytes of the page at `address` differ; 0 when it cannot be read at one of the moments,
/// since then its mapping has come or gone, which is told of the mapping.
std::uint64_t differing_bytes(const Pair& pair, std::uint64_t address) {
  Page before;
  Page after;
  if (pair.before.read_memory(pair.process_before, address, before) != before.size()) return 0;
  if (pair.after.read_memory(pair.process_after, address, after) != after.size()) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < before.size(); ++i) count += before[i] == after[i] ? 0 : 1;
  return count;
}

/// Candidate pages inside `mapping`, as addresses of its process.
std::vector<std::uint64_t> candidates(const Pair& pair, const model::Mapping& mapping) {
  const bool shared = mapping.shared_space() != 0;
  const auto space = store::SpaceId{shared ? mapping.shared_space() : pair.process_after.space()};
  const std::uint64_t shift = shared ? mapping.start() - mapping.offset() : 0;
  const std::uint64_t first = (mapping.start() - shift) / store::kPageSize;
  const std::uint64_t last = (mapping.end() - shift) / store::kPageSize;
  std::vector<std::uint64_t> addresses;
  for (const auto& run : pair.after.reader().changed(space, pair.before.reader())) {
    const std::uint64_t from = std::max(run.first, first);
    const std::uint64_t to = std::min(run.first + run.count, last);
    for (std::uint64_t page = from; page < to; ++page) {
      addresses.push_back(page * store::kPageSize + shift);
    }
  }
  return addresses;
}

}  // namespace

std::vector<MemoryChange> diff_memory(const snapshot::StoredSnapshot& before,
                                      const model::Process& process_before,
                                      const snapshot::StoredSnapshot& after,
                                      const model::Process& process_after) {
  const Pair pair{before, process_before, after, process_after};
  std::vector<MemoryChange> changes;
  for (const auto& mapping : process_after.mappings()) {
    if (mapping.content() != model::Mapping::HELD) continue;
    MemoryChange change;
    change.mapping = mapping_text(mapping);
    change.start = mapping.start();
    for (const std::uint64_t address : candidates(pair, mapping)) {
      const std::uint64_t bytes = differing_bytes(pair, address);
      if (bytes == 0) continue;
      ++change.pages;
      change.bytes += bytes;
      change.addresses.push_back(address);
    }
    if (change.pages != 0) changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace icecore::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "store/pack_format.h"
#include "store/page_runs.h"

namespace icecore::store {

/// Which list of which space. The lists of a space are numbered 1, 2, 3 ... (the sequence); list n
/// holds what changed in (n - lowest set bit of n, n]. So the state at n is list n laid over list
/// n - lowbit(n), and so on: at most log2(n) lists, for any n.
struct PageListKey {
  StoreUuid recording{};
  std::uint64_t space = 0;
  std::uint64_t sequence = 0;
  /// The snapshot that wrote it.
  std::uint64_t number = 0;
  /// Where the space branched off, 0 when it began empty.
  std::uint64_t parent_space = 0;
  std::uint64_t parent_sequence = 0;
};

/// The sequence of the list below list `sequence`; 0 for none.
[[nodiscard]] constexpr std::uint64_t sequence_below(std::uint64_t sequence) {
  return sequence & (sequence - 1);
}

struct PageList {
  std::uint32_t id = 0;
  PageListKey key;
  VersionRuns runs;
};

/// A record's body.
[[nodiscard]] std::vector<std::byte> encode(const PageListKey& key,
                                            std::span<const VersionRun> runs);
/// Throw Error on damaged bytes.
[[nodiscard]] PageListKey decode_page_list_key(ByteReader& reader);
[[nodiscard]] PageList decode_page_list(std::uint32_t id, std::span<const std::byte> body);

/// The lists that together are one space at one snapshot, the newest first.
class PageMap {
 public:
  using Lists = std::vector<std::shared_ptr<const PageList>>;
  PageMap() = default;
  explicit PageMap(Lists lists) : lists_(std::move(lists)) {}

  [[nodiscard]] const Lists& lists() const { return lists_; }
  /// The version of `page`, as a run that goes as far as is known at a glance.
  [[nodiscard]] VersionRun run_at(std::uint64_t page) const;
  /// All that is known inside `range`.
  [[nodiscard]] VersionRuns runs(PageRange range) const;

 private:
  Lists lists_;
};

/// A map that is just `runs`.
[[nodiscard]] PageMap single_list_map(VersionRuns runs);

}  // namespace icecore::store

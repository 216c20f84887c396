// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "store/segment_builder.h"
#include "store/types.h"

namespace icecore::store {

/// Consecutive pages whose versions are consecutive too.
struct VersionRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  PageVersion::Kind kind = PageVersion::Kind::Absent;
  PageRef ref;  // Stored: of the first page; the others follow it in the segment

  [[nodiscard]] std::uint64_t end() const { return first + count; }
  [[nodiscard]] PageVersion version_at(std::uint64_t page) const;
  /// The part of it from `from` up to `to`, both inside.
  [[nodiscard]] VersionRun slice(std::uint64_t from, std::uint64_t to) const;
  bool operator==(const VersionRun&) const = default;
};

/// Ascending, without overlap, neighbours that continue each other joined.
using VersionRuns = std::vector<VersionRun>;

/// Appends `run`, which lies behind all others.
void append_run(VersionRuns& runs, const VersionRun& run);
/// `newer` laid over `older`.
[[nodiscard]] VersionRuns overlay(std::span<const VersionRun> newer,
                                  std::span<const VersionRun> older);
/// What of `runs` lies inside `range`.
[[nodiscard]] VersionRuns clip(std::span<const VersionRun> runs, PageRange range);
/// The first run that ends behind `page`; runs.end() when there is none.
[[nodiscard]] std::span<const VersionRun>::iterator find_run(std::span<const VersionRun> runs,
                                                             std::uint64_t page);

/// On disk: a table of the segments in use, then the runs as varints. docs/store-format.md.
void encode_runs(ByteWriter& writer, std::span<const VersionRun> runs);
/// Throws Error on bytes that encode_runs() does not write.
[[nodiscard]] VersionRuns decode_runs(ByteReader& reader);
/// Only the table of segments.
[[nodiscard]] std::vector<std::uint32_t> decode_run_segments(ByteReader& reader);

}  // namespace icecore::store

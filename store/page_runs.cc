// SPDX-License-Identifier: Apache-2.0
#include "store/page_runs.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/error.h"

namespace icecore::store {
namespace {

// A run's second varint: count << 3 | continues << 2 | kind.
constexpr unsigned kKindBits = 2;
constexpr std::uint64_t kContinues = 4;
constexpr unsigned kCountShift = 3;

bool continues(const VersionRun& before, const VersionRun& run) {
  if (before.end() != run.first || before.kind != run.kind) return false;
  return run.kind != PageVersion::Kind::Stored ||
         (before.ref.segment == run.ref.segment &&
          before.ref.index + before.count == run.ref.index);
}

}  // namespace

PageVersion VersionRun::version_at(std::uint64_t page) const {
  if (kind != PageVersion::Kind::Stored) return {kind, 0, 0};
  return {kind, ref.segment, static_cast<std::uint32_t>(ref.index + (page - first))};
}

VersionRun VersionRun::slice(std::uint64_t from, std::uint64_t to) const {
  VersionRun part{from, to - from, kind, ref};
  if (kind == PageVersion::Kind::Stored) part.ref.index += static_cast<std::uint32_t>(from - first);
  return part;
}

void append_run(VersionRuns& runs, const VersionRun& run) {
  if (run.count == 0) return;
  if (!runs.empty() && continues(runs.back(), run)) {
    runs.back().count += run.count;
  } else {
    runs.push_back(run);
  }
}

VersionRuns overlay(std::span<const VersionRun> newer, std::span<const VersionRun> older) {
  VersionRuns result;
  result.reserve(newer.size() + older.size());
  std::size_t next = 0;
  std::uint64_t covered = 0;  // everything before it is in `result`
  for (const VersionRun& old : older) {
    std::uint64_t at = std::max(old.first, covered);
    while (at < old.end()) {
      if (next < newer.size() && newer[next].first <= at) {
        append_run(result, newer[next]);
        at = std::max(at, newer[next].end());
        covered = newer[next++].end();
        continue;
      }
      const std::uint64_t stop =
          next < newer.size() ? std::min(old.end(), newer[next].first) : old.end();
      append_run(result, old.slice(at, stop));
      at = stop;
    }
  }
  for (; next < newer.size(); ++next) append_run(result, newer[next]);
  return result;
}

std::span<const VersionRun>::iterator find_run(std::span<const VersionRun> runs,
                                               std::uint64_t page) {
  return std::upper_bound(
      runs.begin(), runs.end(), page,
      [](std::uint64_t wanted, const VersionRun& run) { return wanted < run.end(); });
}

VersionRuns clip(std::span<const VersionRun> runs, PageRange range) {
  VersionRuns result;
  const std::uint64_t end = range.first + range.count;
  for (auto run = find_run(runs, range.first); run != runs.end() && run->first < end; ++run) {
    append_run(result, run->slice(std::max(run->first, range.first), std::min(run->end(), end)));
  }
  return result;
}

void encode_runs(ByteWriter& writer, std::span<const VersionRun> runs) {
  std::unordered_map<std::uint32_t, std::uint32_t> slots;
  std::vector<std::uint32_t> segments;
  for (const VersionRun& run : runs) {
    if (run.kind != PageVersion::Kind::Stored) continue;
    const auto slot = static_cast<std::uint32_t>(segments.size());
    if (slots.try_emplace(run.ref.segment, slot).second) segments.push_back(run.ref.segment);
  }
  writer.write(static_cast<std::uint32_t>(segments.size()));
  for (const std::uint32_t segment : segments) writer.write(segment);
  writer.write(static_cast<std::uint32_t>(runs.size()));
  std::uint64_t page = 0;
  PageRef expected{std::numeric_limits<std::uint32_t>::max(), 0};
  for (const VersionRun& run : runs) {
    const bool stored = run.kind == PageVersion::Kind::Stored;
    const bool goes_on = stored && run.ref == expected;
    writer.write_varint(run.first - page);
    writer.write_varint(run.count << kCountShift | (goes_on ? kContinues : 0) |
                        static_cast<std::uint64_t>(run.kind));
    if (stored && !goes_on) {
      writer.write_varint(slots.at(run.ref.segment));
      writer.write_varint(run.ref.index);
    }
    if (stored) expected = {run.ref.segment, run.ref.index + static_cast<std::uint32_t>(run.count)};
    page = run.end();
  }
}

std::vector<std::uint32_t> decode_run_segments(ByteReader& reader) {
  const auto count = reader.read<std::uint32_t>();
  if (count > reader.remaining() / sizeof(std::uint32_t)) throw Error("the bytes end too soon");
  std::vector<std::uint32_t> segments(count);
  for (auto& segment : segments) segment = reader.read<std::uint32_t>();
  return segments;
}

namespace {

/// Reads what follows the count of a Stored run.
PageRef decode_ref(ByteReader& reader, bool goes_on, PageRef expected,
                   std::span<const std::uint32_t> segments, std::uint64_t count) {
  PageRef ref = expected;
  if (!goes_on) {
    const std::uint64_t slot = reader.read_varint();
    const std::uint64_t index = reader.read_varint();
    if (slot >= segments.size()) throw Error("a run names a segment that is not in the table");
    if (index > kMaxPagesPerSegment) throw Error("a run lies outside its segment");
    ref = {segments[slot], static_cast<std::uint32_t>(index)};
  }
  if (count > kMaxPagesPerSegment || ref.index + count > kMaxPagesPerSegment) {
    throw Error("a run lies outside its segment");
  }
  return ref;
}

}  // namespace

VersionRuns decode_runs(ByteReader& reader) {
  const auto segments = decode_run_segments(reader);
  const auto count = reader.read<std::uint32_t>();
  if (count > reader.remaining() / 2) throw Error("the bytes end too soon");
  VersionRuns runs;
  runs.reserve(count);
  std::uint64_t page = 0;
  PageRef expected{std::numeric_limits<std::uint32_t>::max(), 0};
  for (std::uint32_t i = 0; i < count; ++i) {
    VersionRun run;
    const std::uint64_t gap = reader.read_varint();
    const std::uint64_t packed = reader.read_varint();
    run.count = packed >> kCountShift;
    const std::uint64_t kind = packed & ((1U << kKindBits) - 1);
    const bool overflows = gap > ~page || run.count > ~(page + gap);
    if (overflows || run.count == 0 || kind > 2) throw Error("a run that cannot be");
    run.first = page + gap;
    run.kind = static_cast<PageVersion::Kind>(kind);
    if (run.kind == PageVersion::Kind::Stored) {
      run.ref = decode_ref(reader, (packed & kContinues) != 0, expected, segments, run.count);
      expected = {run.ref.segment, run.ref.index + static_cast<std::uint32_t>(run.count)};
    }
    page = run.end();
    runs.push_back(run);
  }
  return runs;
}

}  // namespace icecore::store

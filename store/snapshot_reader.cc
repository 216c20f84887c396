// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_reader.h"

#include <algorithm>

#include "base/error.h"
#include "store/corrupt_store.h"
#include "store/snapshot_reader_impl.h"
#include "store/snapshot_record.h"

namespace icecore::store {
namespace {

/// Appends a range, joined with the last one where they touch.
void append_range(std::vector<PageRange>& ranges, std::uint64_t first, std::uint64_t end) {
  if (!ranges.empty() && ranges.back().first + ranges.back().count == first) {
    ranges.back().count += end - first;
  } else {
    ranges.push_back({first, end - first});
  }
}

constexpr PageRange kAllPages{0, ~std::uint64_t{0}};

}  // namespace

SnapshotReader::Impl::Impl(std::shared_ptr<ReadSession> shared, std::int64_t recording_id,
                           SnapshotKey snapshot)
    : session(std::move(shared)), recording(recording_id), key(std::move(snapshot)) {
  const std::lock_guard guard(session->mutex);
  lease_ = session->lease.take({recording, key.number});
  try {
    record = load_record();
  } catch (...) {
    session->lease.give_back(lease_);
    throw;
  }
}

SnapshotReader::Impl::~Impl() {
  const std::lock_guard guard(session->mutex);
  session->lease.give_back(lease_);
}

/// Once, at the opening: rm may take the row away later, the mapped pack stays.
LoadedRecord SnapshotReader::Impl::load_record() const {
  return session->objects.load(
      [&]() -> std::optional<Locator> {
        Rows rows = session->index->query(
            "SELECT pack_id, pack_offset, pack_length FROM snapshots "
            "WHERE recording_id=?1 AND number=?2",
            recording, key.number);
        if (!rows.next()) return std::nullopt;
        return Locator{rows.number(0), rows.number(1), rows.number(2)};
      },
      RecordType::Snapshot, "snapshot " + key.text());
}

const PageMap& SnapshotReader::Impl::map_of(SpaceId space) const {
  const auto known = maps_.find(space);
  if (known != maps_.end()) return known->second;
  return maps_
      .emplace(space, session->objects.page_map_at(recording, static_cast<std::uint64_t>(space),
                                                   key.number))
      .first->second;
}

SnapshotReader::SnapshotReader(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

const SnapshotKey& SnapshotReader::key() const { return impl_->key; }

std::vector<std::byte> SnapshotReader::record() const {
  const LoadedRecord& loaded = impl_->record;
  try {
    return decode_snapshot_record(loaded.record.body).model;
  } catch (const Error& error) {
    throw CorruptStore(loaded.pack->file(), loaded.record.locator.offset,
                       "snapshot " + impl_->key.text() + ": " + error.what());
  }
}

PageVersion::Kind SnapshotReader::read_page(SpaceId space, std::uint64_t page,
                                            std::span<std::byte> out) const {
  if (out.size() < kPageSize) throw Error("a page does not fit into the buffer");
  const std::lock_guard guard(impl_->session->mutex);
  const PageVersion version = impl_->map_of(space).run_at(page).version_at(page);
  if (version.kind == PageVersion::Kind::Zero)
    std::ranges::fill(out.first(kPageSize), std::byte{0});
  if (version.kind == PageVersion::Kind::Stored) {
    impl_->session->objects.copy_page({version.segment, version.index}, out.first<kPageSize>());
  }
  return version.kind;
}

std::span<const std::byte> SnapshotReader::raw_pages(SpaceId space, std::uint64_t page,
                                                     std::uint64_t most) const {
  const std::lock_guard guard(impl_->session->mutex);
  const VersionRun run = impl_->map_of(space).run_at(page);
  const PageVersion version = run.version_at(page);
  if (version.kind != PageVersion::Kind::Stored) return {};
  most = std::min(most, run.end() - page);
  return impl_->session->objects.raw_run({version.segment, version.index}, most);
}

std::vector<PageRange> SnapshotReader::differing(SpaceId space, SpaceId other,
                                                 PageRange range) const {
  const std::lock_guard guard(impl_->session->mutex);
  StoredObjects& objects = impl_->session->objects;
  const PageMap& mine = impl_->map_of(space);
  const PageMap& theirs = impl_->map_of(other);
  std::vector<PageRange> ranges;
  for (std::uint64_t page = range.first; page < range.first + range.count;) {
    const VersionRun left = mine.run_at(page);
    const VersionRun right = theirs.run_at(page);
    const std::uint64_t stop = std::min({left.end(), right.end(), range.first + range.count});
    for (; left.version_at(page) != right.version_at(page) && page < stop; ++page) {
      if (!objects.same_content(left.version_at(page), right.version_at(page))) {
        append_range(ranges, page, page + 1);
      }
    }
    page = stop;
  }
  return ranges;
}

PageVersion SnapshotReader::version(SpaceId space, std::uint64_t page) const {
  const std::lock_guard guard(impl_->session->mutex);
  return impl_->map_of(space).run_at(page).version_at(page);
}

std::vector<PageRange> SnapshotReader::present(SpaceId space, PageRange range) const {
  range.count = std::min(range.count, ~range.first);
  const std::lock_guard guard(impl_->session->mutex);
  std::vector<PageRange> ranges;
  for (const VersionRun& run : impl_->map_of(space).runs(range)) {
    if (run.kind != PageVersion::Kind::Absent) append_range(ranges, run.first, run.end());
  }
  return ranges;
}

std::vector<PageRange> SnapshotReader::changed(SpaceId space, const SnapshotReader& other) const {
  if (other.impl_->recording != impl_->recording) {
    throw Error(key().text() + " and " + other.key().text() + " are not of one recording");
  }
  const std::lock_guard guard(impl_->session->mutex);
  std::vector<PageRange> ranges;
  const VersionRuns left = impl_->map_of(space).runs(kAllPages);
  const VersionRuns right =
      impl_->session->objects
          .page_map_at(impl_->recording, static_cast<std::uint64_t>(space), other.impl_->key.number)
          .runs(kAllPages);
  const PageMap maps[2] = {single_list_map(left), single_list_map(right)};
  const std::uint64_t end =
      std::max(left.empty() ? 0 : left.back().end(), right.empty() ? 0 : right.back().end());
  for (std::uint64_t page = 0; page < end;) {
    const VersionRun mine = maps[0].run_at(page);
    const VersionRun theirs = maps[1].run_at(page);
    const std::uint64_t stop = std::min({mine.end(), theirs.end(), end});
    if (mine.version_at(page) != theirs.version_at(page)) append_range(ranges, page, stop);
    page = stop;
  }
  return ranges;
}

}  // namespace icecore::store

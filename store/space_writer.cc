// SPDX-License-Identifier: Apache-2.0
#include "store/space_writer.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "store/corrupt_store.h"

namespace icecore::store {

SpaceWriter::SpaceWriter(StoredObjects& objects, PageEncoder& encoder, SegmentStream& stream,
                         const PageMap& prior, MapOf map_of)
    : objects_(objects),
      encoder_(encoder),
      stream_(stream),
      prior_(prior),
      map_of_(std::move(map_of)) {}

void SpaceWriter::write(const PageRun& run) {
  if (run.count > ~run.first) throw Error("a run of pages goes beyond the last page");
  if (!changes_.empty() && run.first < changes_.back().end()) {
    throw Error("the runs of pages are not in ascending order");
  }
  switch (run.kind) {
    case PageRun::Kind::Data:
      write_data(run);
      return;
    case PageRun::Kind::Absent:
      write_absent(run);
      return;
    case PageRun::Kind::CopyOf:
      write_copy(run);
      return;
  }
}

void SpaceWriter::write_data(const PageRun& run) {
  std::uint64_t page = run.first;
  const std::uint64_t end = run.first + run.count;
  while (page < end) {
    const VersionRun before = prior_.run_at(page);
    for (const std::uint64_t stop = std::min(end, before.end()); page < stop; ++page) {
      const std::byte* data = run.data + (page - run.first) * kPageSize;
      write_page(page, Page(data, kPageSize), before.version_at(page));
    }
  }
}

/// The content before, into before_. Damage there must not keep a new snapshot from being taken.
bool SpaceWriter::read_before(PageRef ref) {
  try {
    return objects_.decode(ref, before_);
  } catch (const CorruptStore& error) {
    log(Topic::Store, std::string("stored whole, not as a change: ") + error.what());
    return false;
  }
}

void SpaceWriter::write_page(std::uint64_t number, Page page, const PageVersion& before) {
  VersionRun change{number, 1, PageVersion::Kind::Stored, {}};
  const PageRef old{before.segment, before.index};
  if (is_zero(page)) {
    if (before.kind == PageVersion::Kind::Zero) return;
    change.kind = PageVersion::Kind::Zero;
  } else if (before.kind != PageVersion::Kind::Stored || !read_before(old)) {
    change.ref = stream_.add_whole(encoder_, page);
  } else {
    if (std::memcmp(before_.data(), page.data(), kPageSize) == 0) return;
    const PageRef base = objects_.base_of(old);
    const bool is_base = base == old;
    if (is_base || objects_.decode(base, base_)) {
      change.ref = stream_.add_changed(encoder_, page, base, is_base ? before_ : base_);
    } else {
      change.ref = stream_.add_whole(encoder_, page);
    }
  }
  append_run(changes_, change);
}

void SpaceWriter::write_absent(const PageRun& run) {
  for (const VersionRun& before : prior_.runs({run.first, run.count})) {
    if (before.kind == PageVersion::Kind::Absent) continue;
    append_run(changes_, {before.first, before.count, PageVersion::Kind::Absent, {}});
  }
}

void SpaceWriter::write_copy(const PageRun& run) {
  const PageMap source = map_of_(run.source);
  std::uint64_t page = run.first;
  const std::uint64_t end = run.first + run.count;
  while (page < end) {
    const VersionRun wanted = source.run_at(page);
    const VersionRun before = prior_.run_at(page);
    const std::uint64_t stop = std::min({end, wanted.end(), before.end()});
    if (wanted.version_at(page) != before.version_at(page)) {
      append_run(changes_, wanted.slice(page, stop));
    }
    page = stop;
  }
}

}  // namespace icecore::store

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_watch.h"

#include <algorithm>
#include <memory>

namespace icecore::snapshot {
namespace {

/// gdb asks for a few bytes; a watch on a whole array may be longer, but not without bound.
constexpr std::uint64_t kMostWatched = 1U << 20U;

std::vector<std::byte> bytes_of(const StoredSnapshot& snapshot, const model::Process& process,
                                const gdbstub::Breakpoint& watchpoint) {
  std::vector<std::byte> bytes(std::min(watchpoint.size, kMostWatched));
  bytes.resize(snapshot.read_memory(process, watchpoint.address, bytes));
  return bytes;
}

}  // namespace

ViewWatch::ViewWatch(const ViewMoment& moment, std::vector<gdbstub::Breakpoint> watchpoints)
    : moment_(moment) {
  for (const gdbstub::Breakpoint& watchpoint : watchpoints) {
    const model::Process* process = moment.snapshot().find_process(watchpoint.pid);
    if (process == nullptr) continue;
    watched_.push_back({watchpoint, bytes_of(moment.snapshot(), *process, watchpoint),
                        pages_of(*process, watchpoint)});
  }
}

std::vector<ViewWatch::Page> ViewWatch::pages_of(const model::Process& process,
                                                 const gdbstub::Breakpoint& watchpoint) const {
  std::vector<Page> pages;
  const std::uint64_t first = watchpoint.address / store::kPageSize * store::kPageSize;
  const std::uint64_t size = std::clamp<std::uint64_t>(watchpoint.size, 1, kMostWatched);
  for (std::uint64_t at = first; at < watchpoint.address + size; at += store::kPageSize) {
    const model::Mapping* mapping = StoredSnapshot::find_mapping(process, at);
    const auto version = moment_.snapshot().page_version(process, at);
    // A page without content of its own shows a file or zeros: only the mappings of the other
    // snapshot can tell whether it still does.
    // Nor do the pages of shared memory say that it is still mapped here.
    if (mapping == nullptr || mapping->shared_space() != 0 || !version ||
        version->kind == store::PageVersion::Kind::Absent) {
      return {};
    }
    pages.push_back({store::SpaceId{process.space()}, at / store::kPageSize, *version});
  }
  return pages;
}

bool ViewWatch::is_surely_equal(const Watched& watched, const store::SnapshotReader& there) {
  if (watched.pages.empty()) return false;
  return std::ranges::all_of(watched.pages, [&](const Page& page) {
    return there.version(page.space, page.page) == page.version;
  });
}

bool ViewWatch::differs(const Watched& watched, const StoredSnapshot& there) {
  const model::Process* process = there.find_process(watched.watchpoint.pid);
  // Where the process does not exist there is nothing that could have another value.
  return process != nullptr && bytes_of(there, *process, watched.watchpoint) != watched.bytes;
}

// A process changes its space when it execs, and a space that nobody uses any more keeps its
// versions: they count only as far as every watched process still has the space that it has now.
std::size_t ViewWatch::comparable(const std::vector<store::SnapshotKey>& keys) const {
  const auto end = std::ranges::partition_point(keys, [&](const store::SnapshotKey& key) {
    const auto there = moment_.sequence().open(key);
    return std::ranges::all_of(watched_, [&](const Watched& watched) {
      const auto* now = moment_.snapshot().find_process(watched.watchpoint.pid);
      const auto* then = there->find_process(watched.watchpoint.pid);
      return then != nullptr && then->space() == now->space();
    });
  });
  return static_cast<std::size_t>(end - keys.begin());
}

std::optional<WatchHit> ViewWatch::first_change(const std::vector<store::SnapshotKey>& keys) const {
  const std::size_t same_space = comparable(keys);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const store::SnapshotReader reader = moment_.sequence().read(keys[i]);
    std::shared_ptr<const StoredSnapshot> opened;
    for (const Watched& watched : watched_) {
      if (i < same_space && is_surely_equal(watched, reader)) continue;
      if (opened == nullptr) opened = moment_.sequence().open(keys[i]);
      if (differs(watched, *opened)) return WatchHit{keys[i], watched.watchpoint};
    }
  }
  return std::nullopt;
}

}  // namespace icecore::snapshot

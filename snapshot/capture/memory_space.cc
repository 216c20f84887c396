// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_space.h"

#include <algorithm>

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kPage = store::kPageSize;
// Reading frame numbers costs 45 ns per page; in pieces, to bound the memory for it.
constexpr std::uint64_t kFramesAtOnce = 65536;

bool is_private_memory(const model::Mapping& mapping) {
  return mapping.content() == model::Mapping::HELD && mapping.shared_space() == 0 &&
         !mapping.shared();
}

PageSet pages_of(const model::Mapping& mapping) {
  return {{mapping.start() / kPage, (mapping.end() - mapping.start()) / kPage}};
}

/// Cuts the runs of `copies` (ascending) down to the pages in `keep`.
std::vector<CopiedRun> restrict_to(const std::vector<CopiedRun>& copies, const PageSet& keep) {
  std::vector<CopiedRun> result;
  auto run = keep.begin();
  for (const auto& copy : copies) {
    while (run != keep.end() && run->first + run->count <= copy.first) ++run;
    for (auto at = run; at != keep.end() && at->first < copy.first + copy.count; ++at) {
      const std::uint64_t first = std::max(at->first, copy.first);
      const std::uint64_t end = std::min(at->first + at->count, copy.first + copy.count);
      result.push_back({first, end - first, copy.data + (first - copy.first) * kPage});
    }
  }
  return result;
}

}  // namespace

std::optional<PageSet> MemorySpace::take_written(const PageScanner& scanner,
                                                 const model::Mapping& mapping) {
  if (!watch_) return std::nullopt;
  auto written = scanner.take_written(mapping.start(), mapping.end());
  if (written) return written;
  switch (watch_->watch(mapping.start(), mapping.end())) {
    case WriteWatch::Answer::Watching:
      // Protects what is there; all of it counts as new.
      static_cast<void>(scanner.take_written(mapping.start(), mapping.end()));
      break;
    case WriteWatch::Answer::Dead:
      watch_dead_ = true;
      break;
    case WriteWatch::Answer::Refused:
      break;
  }
  return std::nullopt;
}

/// Anonymous memory that was held before and is under watch: what it has now is what it had and
/// what was written since, less what is gone. Asking for few pages spares the kernel reporting all
/// of them.
std::optional<MemorySpace::Look> MemorySpace::look_at_known(const PageScanner& scanner,
                                                            const model::Mapping& mapping) const {
  const PageSet range = pages_of(mapping);
  if (mapping.inode() != 0 || !captured_ || !watch_ || !subtract(range, held_).empty()) {
    return std::nullopt;
  }
  auto written = scanner.take_written(mapping.start(), mapping.end());
  if (!written) return std::nullopt;
  const PageSet seen_early = unite(early_pages_, missed_);  // their marks are taken already
  const PageSet had = intersect(unite(own_, seen_early), range);
  Look look;
  look.own = subtract(unite(had, *written), scanner.missing_pages(mapping.start(), mapping.end()));
  look.changed = intersect(look.own, *written);
  return look;
}

MemorySpace::Look MemorySpace::look_at(const PageScanner& scanner, const model::Mapping& mapping) {
  Look look;
  if (mapping.name() == "[vdso]") {
    // The kernel's own pages: neither anonymous nor to be watched; two pages are cheap.
    look.own = pages_of(mapping);
    look.changed = look.own;
    return look;
  }
  if (auto known = look_at_known(scanner, mapping)) return *known;
  // Most file mappings have nothing of their own, and no marks that were ever taken: one look is
  // enough.
  look.own = scanner.own_pages(mapping.start(), mapping.end());
  if (look.own.empty()) return look;
  // First what was written, then what is there: a page that comes in between is caught by the next
  // look, as it is written then.
  const auto written = take_written(scanner, mapping);
  look.own = scanner.own_pages(mapping.start(), mapping.end());
  look.changed = written ? intersect(look.own, *written) : look.own;
  if (written && mapping.inode() != 0) {
    // A page that was given back keeps its "not written" mark but shows the file again.
    look.changed = unite(look.changed, scanner.absent_own_pages(mapping.start(), mapping.end()));
  }
  // Pages that were not held before (new, or of a mapping that was left out) count as changed too.
  look.changed = unite(look.changed, subtract(subtract(look.own, own_), early_pages_));
  return look;
}

MemorySpace::Dirty MemorySpace::find_dirty(const model::Process& process) {
  Dirty dirty;
  const PageScanner scanner(process.pid());
  if (!scanner.valid()) return dirty;
  for (const auto& mapping : process.mappings()) {
    if (!is_private_memory(mapping)) continue;
    const Look look = look_at(scanner, mapping);
    for (const auto& run : look.own) append_run(dirty.own, run.first, run.count);
    auto& target = mapping.readable() ? dirty.readable : dirty.unreadable;
    for (const auto& run : look.changed) append_run(target, run.first, run.count);
    for (const auto& run : pages_of(mapping)) append_run(dirty.held, run.first, run.count);
  }
  return dirty;
}

void MemorySpace::copy_early(const model::Process& process, PageBuffer& buffer) {
  const Dirty dirty = find_dirty(process);
  early_.clear();
  PageCopier copier(process.pid(), buffer);
  PageSet failed;
  copier.copy(dirty.readable, PageCopier::Protection::Readable, early_, failed);
  early_pages_ = subtract(dirty.readable, failed);
  // What could not be copied early must be copied in the pause although the scan above has taken
  // its mark: those few pages are put into neither set and so must be remembered.
  missed_ = unite(failed, dirty.unreadable);
}

MemorySpace::Result MemorySpace::capture(const model::Process& process, const Parent& parent,
                                         PageBuffer& buffer) {
  Result result;
  Dirty dirty = find_dirty(process);
  if (!missed_.empty()) {
    const PageSet missed = intersect(subtract(missed_, dirty.readable), dirty.own);
    dirty.unreadable = unite(dirty.unreadable, missed);
    missed_.clear();
  }
  PageSet shared;
  if (!captured_ && parent.space != nullptr && parent.space->captured()) {
    const PageScanner scanner(process.pid());
    shared = find_shared_frames(scanner, subtract(dirty.readable, early_pages_), parent);
    dirty.readable = subtract(dirty.readable, shared);
  }
  std::vector<CopiedRun> copies;
  PageCopier copier(process.pid(), buffer);
  copier.copy(dirty.readable, PageCopier::Protection::Readable, copies, result.failed);
  copier.copy(dirty.unreadable, PageCopier::Protection::Unreadable, copies, result.failed);
  const PageSet late = unite(dirty.readable, dirty.unreadable);
  const PageSet early = intersect(subtract(subtract(early_pages_, late), shared), dirty.own);
  const auto early_copies = restrict_to(early_, early);
  copies.insert(copies.end(), early_copies.begin(), early_copies.end());
  early_.clear();
  early_pages_.clear();

  for (const auto& copy : copies) {
    result.dirty_pages += copy.count;
    result.runs.push_back({store::PageRun::Kind::Data, copy.first, copy.count, copy.data, {}});
  }
  stored_before_ = unite(own_, stale_);
  stale_.clear();
  for (const auto& run : subtract(stored_before_, dirty.own)) {
    result.runs.push_back({store::PageRun::Kind::Absent, run.first, run.count, nullptr, {}});
  }
  for (const auto& run : shared) {
    result.runs.push_back(
        {store::PageRun::Kind::CopyOf, run.first, run.count, nullptr, parent.space->id()});
  }
  std::sort(result.runs.begin(), result.runs.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  own_ = std::move(dirty.own);
  held_ = std::move(dirty.held);
  captured_ = true;
  return result;
}

PageSet MemorySpace::find_shared_frames(const PageScanner& scanner, const PageSet& candidates,
                                        const Parent& parent) {
  PageSet shared;
  const PageScanner parent_scanner(parent.pid);
  for (const auto& run : intersect(candidates, parent.space->own())) {
    for (std::uint64_t done = 0; done < run.count; done += kFramesAtOnce) {
      const std::uint64_t count = std::min(kFramesAtOnce, run.count - done);
      const auto ours = scanner.frames(run.first + done, count);
      const auto theirs = parent_scanner.frames(run.first + done, count);
      for (std::uint64_t i = 0; i < count; ++i) {
        if (ours[i] != 0 && ours[i] == theirs[i]) append_run(shared, run.first + done + i, 1);
      }
    }
  }
  return shared;
}

void MemorySpace::forget() {
  captured_ = false;
  // The store still has the snapshot before: what is gone by the next one must be said again.
  stale_ = unite(own_, stored_before_);
  own_.clear();
  watch_.reset();
}

}  // namespace icecore::snapshot

// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_space.h"

#include <algorithm>

namespace icecore::snapshot {
namespace {

// Reading frame numbers costs 45 ns per page; in pieces, to bound the memory for it.
constexpr std::uint64_t kFramesAtOnce = 65536;
constexpr std::uint64_t kAddressEnd = 0x7ffffffff000;  // of user space with four levels of tables

bool is_private_memory(const model::Mapping& mapping) {
  return mapping.content() == model::Mapping::HELD && mapping.shared_space() == 0 &&
         !mapping.shared();
}

PageSet pages_of(const model::Mapping& mapping) {
  return {
      {mapping.start() / store::kPageSize, (mapping.end() - mapping.start()) / store::kPageSize}};
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
      result.push_back({first, end - first, copy.data + (first - copy.first) * store::kPageSize});
    }
  }
  return result;
}

}  // namespace

// ---- looking ----------------------------------------------------------------------------------

void MemorySpace::look_for_writes(int pid) {
  if (!scanner_) scanner_.emplace(pid);
  if (!captured_ || !watch_ || held_.empty() || !scanner_->valid()) return;
  const std::uint64_t end =
      std::max(kAddressEnd, (held_.back().first + held_.back().count) * store::kPageSize);
  const PageSet written = scanner_->take_all_written(end);
  written_ = written_.empty() ? written : unite(written_, written);
  unwatched_.clear();
  for (const auto& [from, to] : spans_) {
    for (const auto& run : scanner_->unwatched_own_pages(from, to)) {
      append_run(unwatched_, run.first, run.count);
    }
  }
}

bool MemorySpace::is_known(std::uint64_t first, std::uint64_t end) const {
  return captured_ && watch_ && covers(held_, first, end) && !overlaps(unwatched_, first, end);
}

bool MemorySpace::untouched(std::uint64_t start, std::uint64_t end) const {
  const std::uint64_t first = start / store::kPageSize;
  const std::uint64_t last = (end + store::kPageSize - 1) / store::kPageSize;
  return scanner_ && is_known(first, last) && !overlaps(written_, first, last) &&
         !overlaps(early_pages_, first, last) && !overlaps(missed_, first, last);
}

std::optional<PageSet> MemorySpace::take_written(const model::Mapping& mapping) {
  if (!watch_) return std::nullopt;
  auto written = scanner_->take_written(mapping.start(), mapping.end());
  if (written) return written;
  switch (watch_->watch(mapping.start(), mapping.end())) {
    case WriteWatch::Answer::Watching:
      // Protects what is there; all of it counts as new.
      static_cast<void>(scanner_->take_written(mapping.start(), mapping.end()));
      break;
    case WriteWatch::Answer::Dead:
      watch_dead_ = true;
      break;
    case WriteWatch::Answer::Refused:
      break;
  }
  return std::nullopt;
}

/// Pages whose content is held already, if they are still there.
PageSet MemorySpace::had(std::uint64_t first, std::uint64_t end) const {
  PageSet pages = part_of(own_, first, end);
  // The marks of these were taken before the pause.
  for (const PageSet* early : {&early_pages_, &missed_}) {
    if (overlaps(*early, first, end)) pages = unite(pages, part_of(*early, first, end));
  }
  return pages;
}

/// Anonymous memory that was held before and is under watch: what it has now is what it had and
/// what was written since, less what is gone. Asking for few pages spares the kernel reporting all
/// of them.
MemorySpace::Look MemorySpace::look_at_known(const model::Mapping& mapping, const PageSet& had,
                                             const PageSet& written) const {
  Look look;
  look.own = subtract(unite(had, written), scanner_->missing_pages(mapping.start(), mapping.end()));
  look.changed = intersect(look.own, written);
  return look;
}

MemorySpace::Look MemorySpace::look_at(const model::Mapping& mapping, Ran ran) {
  const std::uint64_t first = mapping.start() / store::kPageSize;
  const std::uint64_t end = mapping.end() / store::kPageSize;
  const bool known = is_known(first, end);
  if (mapping.name() == "[vdso]") {
    // The kernel's own pages: neither anonymous nor to be watched. A write would make one
    // anonymous.
    return {pages_of(mapping), known ? PageSet{} : pages_of(mapping)};
  }
  if (known) {
    PageSet had_pages = had(first, end);
    const PageSet written = part_of(written_, first, end);
    if (written.empty() && (had_pages.empty() || ran == Ran::No)) return {had_pages, {}};
    if (mapping.inode() == 0) return look_at_known(mapping, had_pages, written);
  }
  return look_afresh(mapping);
}

MemorySpace::Look MemorySpace::look_afresh(const model::Mapping& mapping) {
  Look look;
  // Most file mappings have nothing of their own, and no marks that were ever taken: one look is
  // enough.
  look.own = scanner_->own_pages(mapping.start(), mapping.end());
  if (look.own.empty()) return look;
  // First what was written, then what is there: a page that comes in between is caught by the next
  // look, as it is written then.
  auto written = take_written(mapping);
  if (written) {
    *written = unite(*written, part_of(written_, mapping.start() / store::kPageSize,
                                       mapping.end() / store::kPageSize));
  }
  look.own = scanner_->own_pages(mapping.start(), mapping.end());
  look.changed = written ? intersect(look.own, *written) : look.own;
  if (written && mapping.inode() != 0) {
    // A page that was given back keeps its "not written" mark but shows the file again.
    look.changed = unite(look.changed, scanner_->absent_own_pages(mapping.start(), mapping.end()));
  }
  // Pages that were not held before (new, or of a mapping that was left out) count as changed too.
  look.changed = unite(look.changed, subtract(subtract(look.own, own_), early_pages_));
  return look;
}

MemorySpace::Dirty MemorySpace::find_dirty(const model::Process& process, Ran ran) {
  Dirty dirty;
  if (!scanner_) look_for_writes(process.pid());
  if (!scanner_->valid()) return dirty;
  for (const auto& mapping : process.mappings()) {
    if (!is_private_memory(mapping)) continue;
    const Look look = look_at(mapping, ran);
    for (const auto& run : look.own) append_run(dirty.own, run.first, run.count);
    auto& target = mapping.readable() ? dirty.readable : dirty.unreadable;
    for (const auto& run : look.changed) append_run(target, run.first, run.count);
    for (const auto& run : pages_of(mapping)) append_run(dirty.held, run.first, run.count);
  }
  scanner_.reset();
  written_.clear();
  unwatched_.clear();
  return dirty;
}

/// Scanning page tables that are not looked at costs time; passing over a small one less than
/// another call.
void MemorySpace::note_spans(const model::Process& process) {
  constexpr std::uint64_t kSmall = 1U << 20U;
  spans_.clear();
  bool joined = false;
  for (const auto& mapping : process.mappings()) {
    if (!is_private_memory(mapping)) {
      joined = joined && mapping.end() - mapping.start() <= kSmall;
    } else if (joined) {
      spans_.back().second = mapping.end();
    } else {
      spans_.emplace_back(mapping.start(), mapping.end());
      joined = true;
    }
  }
}

// ---- copying ----------------------------------------------------------------------------------

/// Pages that were copied for a snapshot that was not taken: their marks are gone.
void MemorySpace::forget_early_copies() {
  if (!early_pages_.empty()) missed_ = unite(missed_, early_pages_);
  early_.clear();
  early_pages_.clear();
}

void MemorySpace::copy_early(const model::Process& process, PageBuffer& buffer) {
  forget_early_copies();
  const Dirty dirty = find_dirty(process, Ran::Maybe);
  PageCopier copier(process.pid(), buffer);
  PageSet failed;
  copier.copy(dirty.readable, PageCopier::Protection::Readable, early_, failed);
  early_pages_ = subtract(dirty.readable, failed);
  // What could not be copied early must be copied in the pause although the scan above has taken
  // its mark: those few pages are put into neither set and so must be remembered.
  missed_ = unite(subtract(missed_, early_pages_), unite(failed, dirty.unreadable));
}

MemorySpace::Result MemorySpace::capture(const model::Process& process, Ran ran,
                                         const Parent& parent, PageBuffer& buffer) {
  Result result;
  Dirty dirty = find_dirty(process, ran);
  if (!missed_.empty()) {
    const PageSet missed = subtract(intersect(missed_, dirty.own), dirty.unreadable);
    dirty.readable = unite(dirty.readable, missed);
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
  note_spans(process);
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

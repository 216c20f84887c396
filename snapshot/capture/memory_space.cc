// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_space.h"

#include <algorithm>

namespace icecore::snapshot {
namespace {

// Reading frame numbers costs 45 ns per page; in pieces, to bound the memory for it.
constexpr std::uint64_t kFramesAtOnce = 65536;

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
  taken_.clear();
  if (!missed_.empty()) {  // never when it holds the same
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
  if (!early_pages_.empty()) {
    const PageSet late = unite(dirty.readable, dirty.unreadable);
    const PageSet early = intersect(subtract(subtract(early_pages_, late), shared), dirty.own);
    const auto early_copies = restrict_to(early_, early);
    copies.insert(copies.end(), early_copies.begin(), early_copies.end());
    early_.clear();
    early_pages_.clear();
  }

  for (const auto& copy : copies) {
    result.dirty_pages += copy.count;
    result.runs.push_back({store::PageRun::Kind::Data, copy.first, copy.count, copy.data, {}});
  }
  take_over(dirty, process, result);
  for (const auto& run : shared) {
    result.runs.push_back(
        {store::PageRun::Kind::CopyOf, run.first, run.count, nullptr, parent.space->id()});
  }
  std::sort(result.runs.begin(), result.runs.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  captured_ = true;
  return result;
}

/// What is there now becomes what was there; `result` gets what is gone.
void MemorySpace::take_over(Dirty& dirty, const model::Process& process, Result& result) {
  if (dirty.holds_the_same && stale_.empty()) {
    stored_before_ = own_;
    return;
  }
  if (dirty.holds_the_same) dirty.own = own_;
  stored_before_ = unite(own_, stale_);
  stale_.clear();
  for (const auto& run : subtract(stored_before_, dirty.own)) {
    result.runs.push_back({store::PageRun::Kind::Absent, run.first, run.count, nullptr, {}});
  }
  own_ = std::move(dirty.own);
  if (dirty.holds_the_same) return;
  held_ = std::move(dirty.held);
  note_spans(process);
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

// SPDX-License-Identifier: Apache-2.0
// Which pages of a space are there, and which of them have changed.
#include <algorithm>
#include <utility>

#include "snapshot/capture/memory_space.h"

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kAddressEnd = 0x7ffffffff000;  // of user space with four levels of tables
constexpr std::uint64_t kLastPage = ~std::uint64_t{0} / store::kPageSize;
// A stretch of pages is worth a question of its own from this size on, and if few places of it
// need another.
constexpr std::uint64_t kLargePages = 1024;
constexpr std::size_t kFewPlaces = 256;

bool is_private_memory(const model::Mapping& mapping) {
  return mapping.content() == model::Mapping::HELD && mapping.shared_space() == 0 &&
         !mapping.shared();
}

PageSet pages_of(const model::Mapping& mapping) {
  return {
      {mapping.start() / store::kPageSize, (mapping.end() - mapping.start()) / store::kPageSize}};
}

bool touch(const MemorySpace::Places& places, std::uint64_t start, std::uint64_t end) {
  return std::ranges::any_of(
      places, [&](const auto& place) { return place.first < end && place.second > start; });
}

void append_runs(PageSet& set, const PageSet& behind) {
  for (const auto& run : behind) append_run(set, run.first, run.count);
}

}  // namespace

void MemorySpace::look_for_writes(int pid) {
  if (!scanner_) scanner_.emplace(pid);
  look(nullptr);
}

void MemorySpace::look_again(int pid, const Places& places) {
  const bool looked = scanner_.has_value();
  if (!looked) scanner_.emplace(pid);
  look(looked ? &places : nullptr);
}

void MemorySpace::look(const Places* places) {
  if (!captured_ || !watch_ || held_.empty() || !scanner_->valid()) return;
  const std::uint64_t end =
      std::max(kAddressEnd, (held_.back().first + held_.back().count) * store::kPageSize);
  const PageSet written = take_marks(end, places);
  written_ = written_.empty() ? written : unite(written_, written);
  unwatched_.clear();
  for (const auto& [from, to] : spans_) {
    for (const auto& run : scanner_->unwatched_own_pages(from, to)) {
      append_run(unwatched_, run.first, run.count);
    }
  }
}

void MemorySpace::look_anew(int pid) {
  scanner_.reset();
  look_for_writes(pid);
}

/// Of memory that was all there, the kernel tells quickly which pages are not what they were; only
/// those, and all that lies between such memory, are then looked at closely.
PageSet MemorySpace::take_marks(std::uint64_t end, const Places* places) {
  PageSet written;
  std::uint64_t from = 0;
  const PageSet intact_before = std::exchange(intact_, {});
  for (const auto& run : own_) {
    if (run.count < kLargePages) continue;
    const std::uint64_t start = run.first * store::kPageSize;
    const std::uint64_t stop = start + run.count * store::kPageSize;
    PageSet inside;
    const PageSet still = part_of(intact_before, run.first, run.first + run.count);
    if (places != nullptr && !still.empty() && !touch(*places, start, stop)) {
      append_runs(intact_, still);
    } else {
      const auto doubtful = scanner_->written_or_gone(start, stop);
      if (!doubtful || doubtful->size() > kFewPlaces) continue;
      for (const auto& part : *doubtful) {
        scanner_->take_all_written(part.first * store::kPageSize,
                                   (part.first + part.count) * store::kPageSize, inside);
      }
      append_runs(intact_, subtract({run}, *doubtful));
    }
    scanner_->take_all_written(from, start, written);
    append_runs(written, inside);
    from = stop;
  }
  scanner_->take_all_written(from, end, written);
  return written;
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
  if (written) {
    taken_ = unite(taken_, *written);
    return written;
  }
  switch (watch_->watch(mapping.start(), mapping.end())) {
    case WriteWatch::Answer::Watching:
      // Protects what is there; all of it counts as new.
      static_cast<void>(scanner_->take_written(mapping.start(), mapping.end()));
      taken_ = unite(taken_, pages_of(mapping));
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
MemorySpace::Look MemorySpace::look_at_known(const model::Mapping& mapping, Ran ran,
                                             const PageSet& had, const PageSet& written) const {
  PageSet doubtful = written;  // reading a page that was never written brings the zero page
  if (ran == Ran::Maybe) {
    // A mark tells of a change once, and what it told may have been that the page is gone.
    const std::uint64_t first = mapping.start() / store::kPageSize;
    const std::uint64_t end = mapping.end() / store::kPageSize;
    const PageSet told = unite(written, part_of(taken_, first, end));
    doubtful = subtract(pages_of(mapping), subtract(part_of(intact_, first, end), told));
  }
  if (doubtful.size() > kFewPlaces) doubtful = pages_of(mapping);
  PageSet missing;
  for (const auto& run : doubtful) {
    append_runs(missing, scanner_->missing_pages(run.first * store::kPageSize,
                                                 (run.first + run.count) * store::kPageSize));
  }
  Look look;
  look.own = subtract(unite(had, written), missing);
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
    if (mapping.inode() == 0) return look_at_known(mapping, ran, had_pages, written);
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
  const bool rested = ran == Ran::No && holds_the_same_ && captured_ && watch_ &&
                      unwatched_.empty() && taken_.empty() && early_pages_.empty() &&
                      missed_.empty();
  if (rested) {
    dirty = find_dirty_at_rest(process);
  } else {
    for (const auto& mapping : process.mappings()) {
      if (!is_private_memory(mapping)) continue;
      const Look look = look_at(mapping, ran);
      append_runs(dirty.own, look.own);
      append_runs(mapping.readable() ? dirty.readable : dirty.unreadable, look.changed);
      append_runs(dirty.held, pages_of(mapping));
    }
  }
  end_look();
  return dirty;
}

void MemorySpace::end_look() {
  used_scanner_ = std::exchange(scanner_, std::nullopt);
  taken_ = unite(taken_, written_);
  written_.clear();
  unwatched_.clear();
  intact_.clear();
  holds_the_same_ = false;
}

/// The mappings are what they were: only those with marks need be looked at.
MemorySpace::Dirty MemorySpace::find_dirty_at_rest(const model::Process& process) {
  Dirty dirty;
  dirty.holds_the_same = true;
  std::uint64_t done = 0;
  const auto& mappings = process.mappings();
  for (const auto& run : written_) {
    auto mapping = std::ranges::upper_bound(mappings, std::max(run.first, done) * store::kPageSize,
                                            {}, [](const auto& each) { return each.end(); });
    for (;
         mapping != mappings.end() && mapping->start() < (run.first + run.count) * store::kPageSize;
         ++mapping) {
      if (!is_private_memory(*mapping)) continue;
      const std::uint64_t first = mapping->start() / store::kPageSize;
      append_runs(dirty.own, part_of(own_, done, first));
      done = mapping->end() / store::kPageSize;
      const Look look = look_at(*mapping, Ran::No);
      dirty.holds_the_same = dirty.holds_the_same &&
                             subtract(part_of(own_, first, done), look.own).empty() &&
                             subtract(look.own, part_of(own_, first, done)).empty();
      append_runs(dirty.own, look.own);
      append_runs(mapping->readable() ? dirty.readable : dirty.unreadable, look.changed);
    }
  }
  if (dirty.holds_the_same) {
    dirty.own.clear();
    return dirty;
  }
  append_runs(dirty.own, part_of(own_, done, kLastPage));
  dirty.held = held_;
  return dirty;
}

void MemorySpace::expect_rest(const model::Process& process) {
  scanner_.emplace(process.pid());
  PageSet held;
  for (const auto& mapping : process.mappings()) {
    if (is_private_memory(mapping)) append_runs(held, pages_of(mapping));
  }
  holds_the_same_ = std::ranges::equal(held, held_, [](const auto& a, const auto& b) {
    return a.first == b.first && a.count == b.count;
  });
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

}  // namespace icecore::snapshot

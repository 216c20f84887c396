// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "snapshot/capture/memory_copy.h"
#include "snapshot/capture/memory_ranges.h"
#include "snapshot/capture/memory_scan.h"
#include "snapshot/capture/memory_watch.h"
#include "snapshot/model/process.pb.h"
#include "store/types.h"

namespace icecore::snapshot {

/// What is known of one address space from snapshot to snapshot: which pages have content of their
/// own and which were written since. Right in every case by this argument: a page is left out only
/// when the kernel says that its mapping is still under our watch and the page was not written
/// since the last look; new, moved and replaced mappings are not under watch (registration goes
/// with the mapping), and pages that went away are found by comparing the sets of pages present.
class MemorySpace {
 public:
  MemorySpace(store::SpaceId id, std::uint64_t start_time) : id_(id), start_time_(start_time) {}

  [[nodiscard]] store::SpaceId id() const { return id_; }
  [[nodiscard]] std::uint64_t start_time() const { return start_time_; }
  [[nodiscard]] bool captured() const { return captured_; }
  [[nodiscard]] bool watched() const { return watch_.has_value(); }
  [[nodiscard]] const PageSet& own() const { return own_; }

  void set_watch(std::optional<WriteWatch> watch) { watch_ = std::move(watch); }
  /// The watch ended with the program it was made for (exec).
  [[nodiscard]] bool watch_is_dead() const { return watch_dead_; }

  /// While the process runs: makes ready for a pause in which nothing has run. `process` has its
  /// mappings and their flags.
  void expect_rest(const model::Process& process);
  /// While the process is frozen: takes in what was written since the last look. capture() does it
  /// by itself; done before, untouched() can be asked.
  void look_for_writes(int pid);
  /// The same once more in the same pause, when only `places` may have been written since:
  /// addresses [start, end). Large memory elsewhere is not asked again.
  using Places = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  void look_again(int pid, const Places& places);
  /// The same, when the process may have executed another program since expect_rest().
  void look_anew(int pid);
  /// After look_for_writes(): nothing wrote to [start, end) since the last capture, and all of it
  /// is memory that was captured then. Addresses in bytes.
  [[nodiscard]] bool untouched(std::uint64_t start, std::uint64_t end) const;

  /// While the process runs: copies what is dirty already, so that the pause has little to do.
  void copy_early(const model::Process& process, PageBuffer& buffer);

  struct Parent {
    int pid = 0;
    const MemorySpace* space = nullptr;
  };
  struct Result {
    std::vector<store::PageRun> runs;
    std::uint64_t dirty_pages = 0;  ///< copied, in and before the pause
    PageSet failed;                 ///< could not be read
  };
  /// Whether a thread of the process may have run since the last capture. If none has, nothing can
  /// have gone from its memory: what others write is seen by the marks.
  enum class Ran { Maybe, No };
  /// While the process is frozen: all that changed since the last capture. `parent` helps a forked
  /// child: a page in the same frame as the parent's has the parent's content.
  Result capture(const model::Process& process, Ran ran, const Parent& parent, PageBuffer& buffer);
  /// A capture that was not stored: the next one must hold everything again.
  void forget();
  /// After the pause: what capture() left for then.
  void tidy() { used_scanner_.reset(); }

 private:
  struct Dirty {
    bool holds_the_same = false;  ///< own and held, which are left empty, are what they were
    PageSet own;
    PageSet readable;
    PageSet unreadable;
    PageSet held;
  };
  Dirty find_dirty(const model::Process& process, Ran ran);
  [[nodiscard]] Dirty find_dirty_at_rest(const model::Process& process);
  void take_over(Dirty& dirty, const model::Process& process, Result& result);
  void end_look();
  void look(const Places* places);
  [[nodiscard]] PageSet take_marks(std::uint64_t end, const Places* places);
  struct Look {
    PageSet own;
    PageSet changed;
  };
  Look look_at(const model::Mapping& mapping, Ran ran);
  Look look_afresh(const model::Mapping& mapping);
  [[nodiscard]] Look look_at_known(const model::Mapping& mapping, Ran ran, const PageSet& had,
                                   const PageSet& written) const;
  [[nodiscard]] bool is_known(std::uint64_t first, std::uint64_t end) const;
  [[nodiscard]] PageSet had(std::uint64_t first, std::uint64_t end) const;
  std::optional<PageSet> take_written(const model::Mapping& mapping);
  void forget_early_copies();
  void note_spans(const model::Process& process);
  PageSet find_shared_frames(const PageScanner& scanner, const PageSet& candidates,
                             const Parent& parent);

  store::SpaceId id_;
  std::uint64_t start_time_;
  std::optional<WriteWatch> watch_;
  bool watch_dead_ = false;
  bool captured_ = false;
  PageSet own_;
  PageSet held_;                 ///< the mappings that the last capture held
  bool holds_the_same_ = false;  ///< as expect_rest() saw it, the next will hold the same mappings
  /// What the store may hold although it is not in own_: of the snapshot before the last, and of
  /// those that were not stored. Needed by forget().
  PageSet stored_before_;
  PageSet stale_;
  std::vector<CopiedRun> early_;
  PageSet early_pages_;
  PageSet taken_;   ///< all marks taken since the last capture, of pages that are gone as well
  PageSet missed_;  ///< marks taken by copy_early() whose pages it could not copy

  // Of the look that is being taken; empty between captures.
  std::optional<PageScanner> scanner_;
  std::optional<PageScanner> used_scanner_;  ///< still to be closed, which takes a while
  PageSet written_;                          ///< marks taken of mappings under watch
  PageSet unwatched_;  ///< pages of mappings in spans_ that are not under watch
  PageSet intact_;     ///< large parts of own_ that are all there and without marks
  /// What the last capture looked at, in few pieces: [start, end) addresses of memory that may be
  /// scanned at once.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans_;
};

}  // namespace icecore::snapshot

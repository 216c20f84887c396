// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "replay/record/replayer.h"
#include "replay/timeline/interruption_places.h"
#include "replay/timeline/moment.h"
#include "replay/translate/translated_run.h"

namespace icecore::replay {

/// It was asked to end before it had found anything.
class SearchEnded : public Error {
 public:
  SearchEnded() : Error("interrupted: nothing has moved") {}
};

/// What a place in the middle of computation is recognised by.
struct WantedState {
  int pid = 0;  ///< a process with its memory
  user_regs_struct registers{};
  std::string xstate;
  std::span<const MemoryWrite> overwritten;  ///< but for these bytes
};

/// A visit to a breakpoint, or the position behind a change of watched memory.
struct Visit {
  Position position;
  std::optional<WatchedMemory> watch;
};

/// A copy of a moment that is run forward knowing its position: natively as long as only events
/// matter, by the translator where instructions do. `log` and `places` outlive it.
class CountedReplay {
 public:
  /// Asked several times a second; false makes what runs throw SearchEnded.
  using KeepGoing = std::function<bool()>;
  struct Past {
    const EventLog& log;
    InterruptionPlaces& places;
    std::uint64_t syscall_instruction;
    KeepGoing keep_going;
  };
  CountedReplay(const Moment& start, const Past& past);

  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] Replayer& replayer() { return replayer_; }

  /// To where `events` events have happened and no instruction since; natively, but on the way to
  /// an interruption that came anywhere.
  void run_to_event(std::uint64_t events);
  /// Throws ReplayDiverged when the execution has no such position.
  void run_to(const Position& target);
  /// To the last instruction in front of the next event: the call, the one that faults.
  void run_to_stretch_end();
  /// From in front of an event, or of nothing but a signal's arrival, to behind it.
  void cross_event();
  /// Whether an interruption comes where it stands; then it has come.
  bool crosses_interruption();
  /// On to `end`; the last visit before it.
  std::optional<Visit> last_visit(const Position& end, const Goal& goal);
  /// How many visits there are to breakpoints up to `end`, whether they count or not.
  std::uint64_t count_visits(const Position& end, const Goal& goal);
  /// On to the first visit, or to `end` (nullopt).
  std::optional<Visit> first_visit(const Position& end, const Goal& goal);
  /// On to where registers and memory are those of `wanted`, which has the same events behind it.
  void find(const Moment& wanted);

  /// A copy of where it stands; or the process itself, and this is over.
  MomentPointer mark();
  MomentPointer finish();

 private:
  enum class Stretch { Reached, Ended, Watched, Matched, Visited };
  Stretch run(const Limit& limit);
  bool passes_input(const Outcome& outcome);
  /// Where a search is to end, and what it has found.
  struct Search {
    enum class For { First, Last, Count };
    For what = For::First;
    const Position& end;
    const Goal& goal;
    std::optional<Visit> found{};
    std::uint64_t count = 0;

    /// At each visit somebody has to be asked, or it is the end of the search.
    [[nodiscard]] bool stops() const {
      return what == For::First || (what == For::Last && goal.counts);
    }
  };
  void search(Search& search);
  bool search_stretch(Search& search);
  Stretch run_stretch(Search& search);
  bool take_visit(Search& search);
  void note_visits(Search& search) const;
  void forget_changed_code(const Event& event);
  void run_natively(std::uint64_t events);
  void run_to_interruption();
  ExecutionPoint interruption_point();
  void find_interruption(std::uint64_t number);
  void find_state(const WantedState& wanted);
  [[nodiscard]] std::optional<std::uint64_t> difference_from(const WantedState& wanted) const;
  [[nodiscard]] bool can_be_compared(std::uint64_t word, const WantedState& wanted) const;
  [[nodiscard]] const Interruption* next_interruption() const {
    return past_.log.interruption(replayer_.next_event());
  }
  MomentPointer moment(std::unique_ptr<ProcessCopy> process) const;
  TranslatedRun& translated();

  Replayer replayer_;
  const Past& past_;
  std::optional<TranslatedRun> translated_;
  Position position_;
  std::uint64_t counted_before_ = 0;  ///< transfers of this stretch before translated_ began
};

}  // namespace icecore::replay

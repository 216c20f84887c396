// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "replay/record/replayer.h"
#include "replay/timeline/moment.h"
#include "replay/translate/translated_run.h"

namespace icecore::replay {

/// A visit to a breakpoint, or the position behind a change of watched memory.
struct Visit {
  Position position;
  std::optional<WatchedMemory> watch;
};

/// A copy of a moment that is run forward knowing its position: natively as long as only events
/// matter, by the translator where instructions do. `log` outlives it.
class CountedReplay {
 public:
  CountedReplay(const Moment& start, const EventLog& log, std::uint64_t syscall_instruction);

  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] Replayer& replayer() { return replayer_; }

  /// Natively to where `events` events have happened and no instruction since.
  void run_to_event(std::uint64_t events);
  /// Throws ReplayDiverged when the execution has no such position.
  void run_to(const Position& target);
  /// To the last instruction in front of the next event: the call, the one that faults.
  void run_to_stretch_end();
  /// From in front of an event, or of nothing but a signal's arrival, to behind it.
  void cross_event();
  /// On to `end`; the last visit before it.
  std::optional<Visit> last_visit(const Position& end, const Goal& goal);
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
  std::optional<Visit> visits_to(const Position& end, const Goal& goal, Place::Action action);
  void note_visits(std::optional<Visit>& last) const;
  void forget_changed_code(const Event& event);
  bool wait_for_signal(const SignalTaken& taken);
  MomentPointer moment(std::unique_ptr<ProcessCopy> process) const;
  TranslatedRun& translated();

  Replayer replayer_;
  const EventLog& log_;
  std::optional<TranslatedRun> translated_;
  Position position_;
  std::uint64_t counted_before_ = 0;  ///< transfers of this stretch before translated_ began
};

}  // namespace icecore::replay

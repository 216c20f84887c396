// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay/record/event_log.h"
#include "replay/timeline/counted_replay.h"
#include "replay/timeline/moment.h"

namespace icecore::replay {

/// What was found behind the current moment.
struct Found {
  MomentPointer moment;
  /// Set when it is a change of this memory (the moment is in front of it), else a breakpoint.
  std::optional<WatchedMemory> watch;
};

/// The moments of one execution that can be gone back to, and the search among them. Kept are
/// *checkpoints*, which are copies of the process made while it ran, and some moments that were
/// visited; every other position is reached by running on from the nearest one before it.
class History {
 public:
  /// `log` outlives this. `syscall_instruction` is in every process of this history.
  History(const EventLog& log, std::uint64_t syscall_instruction)
      : log_(log), past_{log, places_, syscall_instruction, {}} {}
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// The recorded process `pid` stands behind the last event of the log: keeps a copy.
  MomentPointer add_checkpoint(int pid);
  /// The same behind an interruption that came anywhere. Finds its place when there are many such.
  MomentPointer add_witness(int pid);
  [[nodiscard]] std::size_t size() const { return kept_.size(); }
  /// Asked several times a second while something is searched for; none at first.
  void set_keep_going(CountedReplay::KeepGoing keep_going) {
    past_.keep_going = std::move(keep_going);
  }
  /// The processes that the kept moments are.
  [[nodiscard]] std::vector<int> copies() const;
  /// Null while there is none.
  [[nodiscard]] MomentPointer begin() const;
  /// Forgets the older half of what is kept; returns the first event that is still needed.
  std::uint64_t forget_half();

  /// Names that the user has given.
  [[nodiscard]] std::map<std::string, Position, std::less<>>& tags() { return tags_; }

  /// The recorded process as it stands now, with its position found.
  MomentPointer present(int pid);
  /// Throws ReplayDiverged when there is no such position.
  MomentPointer at(const Position& position);
  /// Where so many events have happened, and no instruction since.
  MomentPointer behind_event(std::uint64_t events);
  /// The last visit to a breakpoint, or change of watched memory, before `now`; nullopt when the
  /// history has none.
  std::optional<Found> find_last(const Moment& now, const Goal& goal);
  /// The first after `now` and before `end`; nullopt when there is none.
  std::optional<Found> find_next(const Moment& now, const Position& end, const Goal& goal);
  /// One instruction back; null at the beginning. What a debugger did there, calls of functions
  /// included, is gone back over at once.
  MomentPointer step_back(const Moment& now);
  /// One instruction on.
  MomentPointer step_on(const Moment& now);

 private:
  [[nodiscard]] const Moment& nearest(const Position& position) const;
  [[nodiscard]] CountedReplay replay(const Moment& start) const;
  std::optional<Visit> last_visit(const Moment& start, const Position& end, const Goal& goal);
  MomentPointer middle_of(const Moment& start, const Position& end);
  void find_in_time(std::uint64_t number);
  MomentPointer before_event(std::uint64_t number);
  MomentPointer in_front_of_debugger(const Position& position);
  [[nodiscard]] std::uint64_t opening_of(std::uint64_t number) const;
  MomentPointer with_origin(const Position& position);
  MomentPointer steps_from(const MomentPointer& origin, std::uint64_t steps);
  void keep(MomentPointer moment);

  const EventLog& log_;
  InterruptionPlaces places_;
  CountedReplay::Past past_;
  std::map<Position, MomentPointer> kept_;
  std::map<std::string, Position, std::less<>> tags_;
};

}  // namespace icecore::replay

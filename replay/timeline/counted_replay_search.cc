// SPDX-License-Identifier: Apache-2.0
// The search for visits to breakpoints and changes of watched memory, by counted_replay.h.
#include <vector>

#include "replay/timeline/counted_replay.h"

namespace icecore::replay {

std::optional<Visit> CountedReplay::last_visit(const Position& end, const Goal& goal) {
  Search search{Search::For::Last, end, goal};
  // That it begins at a breakpoint is a visit.
  if (search.stops() && position_ < end) take_visit(search);
  this->search(search);
  return search.found;
}

std::optional<Visit> CountedReplay::first_visit(const Position& end, const Goal& goal) {
  Search search{Search::For::First, end, goal};
  this->search(search);
  return search.found;
}

std::uint64_t CountedReplay::count_visits(const Position& end, const Goal& goal) {
  Search search{Search::For::Count, end, goal};
  this->search(search);
  return search.count;
}

void CountedReplay::search(Search& search) {
  while (position_ < search.end && search_stretch(search)) {
  }
}

/// To the next visit, change of watched memory or event; false when the search is over.
bool CountedReplay::search_stretch(Search& search) {
  auto& watches = replayer_.watch_registers();
  if (search.what != Search::For::Count) {
    watches.arm(replayer_.pid(), replayer_.memory(), search.goal.watches);
  }
  const bool at_end = position_.events == search.end.events;
  const Stretch stretch = run_stretch(search);
  const bool first = search.what == Search::For::First;
  if (stretch == Stretch::Reached && at_end) return false;
  if (stretch == Stretch::Visited) return !(take_visit(search) && first);
  if (stretch != Stretch::Watched) {
    if (at_end) return false;
    cross_event();
  }
  const auto change = watches.take_hit(replayer_.pid(), replayer_.memory());
  if (change && position_ <= search.end) {
    search.found = Visit{position_, change};
    if (first) return false;
  }
  const bool arrived = stretch != Stretch::Watched && position_ < search.end;
  return !(search.stops() && arrived && take_visit(search) && first);
}

/// To the end of this stretch, or to where something has to be asked.
CountedReplay::Stretch CountedReplay::run_stretch(Search& search) {
  const bool at_end = position_.events == search.end.events;
  const Interruption* taken = next_interruption();
  Limit limit;
  if (at_end) {
    limit.point = search.end.point;
  } else if (taken != nullptr && taken->place == Interruption::Place::BehindEvent) {
    return Stretch::Ended;
  } else if (taken != nullptr && taken->place == Interruption::Place::Anywhere) {
    limit.point = interruption_point();
  }
  const auto action = search.stops() ? Place::Action::Stop : Place::Action::Record;
  std::vector<icecore::replay::Place> places;
  for (const auto address : search.goal.breakpoints) places.push_back({address, action});
  translated().set_places(places);
  const Stretch stretch = run(limit);
  if (!search.stops()) note_visits(search);
  return stretch;
}

void CountedReplay::note_visits(Search& search) const {
  for (const auto& place : translated_->visits()) {
    if (!place.last) continue;
    search.count += place.count;
    Position visited{position_.events, *place.last};
    visited.point.transfers += counted_before_;
    if (!search.found || search.found->position < visited) search.found = Visit{visited, {}};
  }
}

/// Whether it stands at a breakpoint, and that counts.
bool CountedReplay::take_visit(Search& search) {
  const user_regs_struct registers = replayer_.registers();
  if (!search.goal.breakpoints.contains(registers.rip)) return false;
  if (past_.keep_going && !past_.keep_going()) throw SearchEnded();
  const bool counts =
      !search.goal.counts || search.goal.counts({replayer_.pid(), replayer_.memory(), registers});
  if (counts) search.found = Visit{position_, {}};
  return counts;
}

}  // namespace icecore::replay

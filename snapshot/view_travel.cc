// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_travel.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "snapshot/link_map.h"
#include "snapshot/view_watch.h"

namespace icecore::snapshot {
namespace {

using gdbstub::Breakpoint;
using gdbstub::StopEvent;
using gdbstub::ThreadId;

bool is_watchpoint(const Breakpoint& breakpoint) {
  return breakpoint.kind >= Breakpoint::Kind::WriteWatch;
}

gdbstub::HitWatchpoint hit_of(const Breakpoint& watchpoint) {
  using Kind = gdbstub::HitWatchpoint::Kind;
  const Kind kind = watchpoint.kind == Breakpoint::Kind::WriteWatch  ? Kind::Write
                    : watchpoint.kind == Breakpoint::Kind::ReadWatch ? Kind::Read
                                                                     : Kind::Access;
  return {kind, watchpoint.address};
}

/// Names and places of what every process has loaded.
std::vector<std::string> loaded_libraries(const StoredSnapshot& snapshot, std::int32_t pid) {
  std::vector<std::string> loaded;
  const model::Process* process = snapshot.find_process(pid);
  if (process == nullptr) return loaded;
  for (const auto& library : LinkMap(snapshot, *process).libraries().libraries) {
    loaded.push_back(library.name + " " + std::to_string(library.load_bias));
  }
  return loaded;
}

}  // namespace

ViewTravel::ViewTravel(ViewMoment& moment, StopEvent stop)
    : moment_(moment), stop_(std::move(stop)) {}

ThreadId ViewTravel::thread_of(std::span<const gdbstub::ResumeAction> actions) const {
  for (const gdbstub::ResumeAction& action : actions) {
    if (action.threads.matches(stop_.thread)) break;
    if (action.threads.pid > 0) return {action.threads.pid, std::max(action.threads.tid, 0)};
  }
  return stop_.thread;
}

void ViewTravel::resume(std::span<const gdbstub::ResumeAction> actions) {
  travel(Direction::Forward, thread_of(actions));
}

void ViewTravel::continue_backward(ThreadId thread) { travel(Direction::Back, thread); }

void ViewTravel::step_backward(ThreadId thread) { travel(Direction::Back, thread); }

void ViewTravel::travel(Direction direction, ThreadId preferred) {
  if (after_libraries_) {
    stop_ = *std::exchange(after_libraries_, std::nullopt);
    return;
  }
  const Place place = find_place(direction, preferred.pid);
  destination_.reset();
  const bool moves = place.key != moment_.snapshot().key();
  const std::int32_t pid = preferred.pid;
  const auto libraries_before = loaded_libraries(moment_.snapshot(), pid);
  if (moves) moment_.move_to(place.key);
  stop_ = arrive(place, preferred);
  const bool same_process = stop_.thread.pid == pid;
  if (moves && same_process && loaded_libraries(moment_.snapshot(), pid) != libraries_before) {
    after_libraries_ = std::exchange(stop_, StopEvent{stop_.thread, gdbstub::LibrariesChanged{}});
  }
}

// A pid may be used again: the process is the same when it began at the same time.
bool ViewTravel::lives_in(const store::SnapshotKey& key, std::int32_t pid) const {
  const model::Process* here = moment_.snapshot().find_process(pid);
  const auto there_snapshot = moment_.sequence().open(key);
  const model::Process* there = there_snapshot->find_process(pid);
  return here != nullptr && there != nullptr && here->start_time() == there->start_time() &&
         there->state() != model::Process::ZOMBIE;
}

void ViewTravel::go_to_next(const store::SnapshotKey& key, std::int32_t pid) {
  if (!lives_in(key, pid)) {
    Error error("process " + std::to_string(pid) + " does not exist in " + key.text());
    error.set_hint("icecore gdb " + key.text());
    throw error;
  }
  destination_ = key;
}

std::vector<store::SnapshotKey> ViewTravel::keys_ahead(Direction direction,
                                                       std::int32_t pid) const {
  const store::SnapshotKey& here = moment_.snapshot().key();
  const auto line = moment_.sequence().line(here);
  std::vector<store::SnapshotKey> keys;
  for (const auto& summary : line) keys.push_back(summary.key);
  const auto at = std::ranges::find(keys, here);
  if (at == keys.end()) return {};  // removed meanwhile: it can be looked at, but leads nowhere
  if (direction == Direction::Forward) {
    keys.erase(keys.begin(), at + 1);
  } else {
    keys.erase(at, keys.end());
    std::ranges::reverse(keys);
  }
  // A life has no gaps, so its end is found by halving.
  const auto end = std::ranges::partition_point(
      keys, [&](const store::SnapshotKey& key) { return lives_in(key, pid); });
  keys.erase(end, keys.end());
  return keys;
}

ViewTravel::Place ViewTravel::find_place(Direction direction, std::int32_t pid) const {
  if (destination_) return {*destination_, gdbstub::Signalled{}};
  using Which = gdbstub::ReachedHistoryEnd::Which;
  const gdbstub::ReachedHistoryEnd end{direction == Direction::Back ? Which::Begin : Which::End};
  const std::vector<store::SnapshotKey> keys = keys_ahead(direction, pid);
  if (keys.empty()) return {moment_.snapshot().key(), end};
  std::vector<Breakpoint> watchpoints;
  std::ranges::copy_if(breakpoints_, std::back_inserter(watchpoints), is_watchpoint);
  if (watchpoints.empty()) return {keys.front(), gdbstub::Signalled{}};
  const auto hit = ViewWatch(moment_, watchpoints).first_change(keys);
  if (!hit) return {keys.back(), end};
  return {hit->key, hit_of(hit->watchpoint)};
}

StopEvent ViewTravel::arrive(const Place& place, ThreadId preferred) const {
  StopEvent stop{moment_.nearest_thread(preferred), place.reason};
  if (!std::holds_alternative<gdbstub::Signalled>(place.reason)) return stop;
  const auto report = [&](ThreadId thread) {
    const Breakpoint* hit = breakpoint_at(thread);
    if (hit == nullptr) return false;
    const bool software = hit->kind == Breakpoint::Kind::Software;
    stop = {thread, gdbstub::HitBreakpoint{software ? gdbstub::HitBreakpoint::Kind::Software
                                                    : gdbstub::HitBreakpoint::Kind::Hardware}};
    return true;
  };
  if (report(stop.thread)) return stop;
  for (const auto& thread : moment_.threads()) {
    if (thread.id.pid == stop.thread.pid && report(thread.id)) break;
  }
  return stop;
}

const Breakpoint* ViewTravel::breakpoint_at(ThreadId thread) const {
  const model::Thread* found = moment_.find_thread(thread);
  if (found == nullptr) return nullptr;
  const std::uint64_t pc = program_counter(*found);
  for (const Breakpoint& breakpoint : breakpoints_) {
    if (!is_watchpoint(breakpoint) && breakpoint.pid == thread.pid && breakpoint.address == pc) {
      return &breakpoint;
    }
  }
  return nullptr;
}

}  // namespace icecore::snapshot

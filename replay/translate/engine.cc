// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/engine.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/log.h"
#include "replay/translate/same_registers.h"
#include "snapshot/tracing/affinity.h"

namespace icecore::replay {
namespace {

/// So many transfers before the limit it begins to step: a stop each.
constexpr std::uint64_t kNear = 4;
/// So many at most until keep_going() is asked: some 100 ms.
constexpr std::uint64_t kSlice = std::uint64_t{1} << 26U;

int only_cpu_of(int tid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(tid, sizeof set, &set) != 0 || CPU_COUNT(&set) != 1) return -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) return cpu;
  }
  return -1;
}

}  // namespace

TranslatedRun::Engine::Engine(int tid, std::vector<AddressRange> keep_free)
    : thread_(tid), keep_free_(std::move(keep_free)), cpu_(only_cpu_of(tid)) {}

TranslatedRun::Engine::~Engine() {
  if (!cache_ || !log_enabled(Topic::Tracing)) return;
  log(Topic::Tracing, "translated " + std::to_string(cache_->block_count()) + " blocks in " +
                          std::to_string(stops_) + " stops");
}

void TranslatedRun::Engine::set_places(const std::vector<Place>& places) {
  places_ = places;
  places_changed_ = true;
  std::vector<std::uint64_t> recording;
  for (const Place& place : places_) {
    if (place.action == Place::Action::Record) recording.push_back(place.address);
  }
  if (recording.size() > CacheLayout::kMostPlaces) {
    throw Refused("more than " + std::to_string(CacheLayout::kMostPlaces) +
                  " breakpoints cannot be looked at while time runs");
  }
  counter_.set_places(cache_ ? &cache_->memory() : nullptr, recording);
}

void TranslatedRun::Engine::restart_count() {
  counter_.restart();
  point_ = ExecutionPoint{0, point_.pc, 0};
}

void TranslatedRun::Engine::forget_code(std::uint64_t start, std::uint64_t end) {
  if (!cache_) return;
  if (cache_->program().has_read(start, end)) cache_->forget();
  cache_->program().forget_mappings();
}

Outcome TranslatedRun::Engine::run(const Limit& limit) {
  const snapshot::AffinityScope affinity;
  snapshot::move_to_cpu(cpu_);
  begin(limit);
  try {
    Step outcome;
    while (!outcome) outcome = go_on(limit);
    if (!std::holds_alternative<Ended>(*outcome)) finish();
    return std::move(*outcome);
  } catch (const Refused&) {
    finish();
    throw;
  }
}

void TranslatedRun::Engine::begin(const Limit& limit) {
  if (!cache_) cache_.emplace(thread_.tid(), keep_free_);
  apply_places(limit);
  thread_.read();
  thread_.unblock_traps();
  const std::uint64_t done = point_.rep_done;
  const std::uint64_t before = point_.pc;
  arrive(thread_.registers().rip, Arrival::Started);
  if (point_.pc == before) point_.rep_done = done;
  start_ = point_;
  interrupted_ = false;
}

void TranslatedRun::Engine::apply_places(const Limit& limit) {
  const bool same_match = match_.has_value() == limit.state.has_value() &&
                          (!match_ || same_registers(*match_, *limit.state)) &&
                          matched_words_ == limit.words;
  if (!places_changed_ && same_match) return;
  match_ = limit.state;
  matched_words_ = limit.words;
  places_changed_ = false;
  PlaceMap map;
  std::size_t recording = 0;
  for (const Place& place : places_) {
    PlaceActions& actions = map[place.address];
    if (place.action == Place::Action::Stop) actions.stop = true;
    if (place.action == Place::Action::Record) actions.record = recording++;
  }
  if (match_) {
    map[match_->rip].match = match_;
    map[match_->rip].words = matched_words_;
  }
  cache_->set_places(std::move(map));
}

void TranslatedRun::Engine::finish() {
  point_.transfers = counter_.transfers();
  mend_x87();
  thread_.write();
  thread_.restore_mask();
}

void TranslatedRun::Engine::arrive(std::uint64_t pc, Arrival arrival) {
  point_ = ExecutionPoint{counter_.transfers(), pc, 0};
  thread_.registers().rip = pc;
  arrival_ = arrival;
}

bool TranslatedRun::Engine::is_near(const Limit& limit) const {
  return limit.point && counter_.transfers() + kNear + CacheLayout::kLanes > limit.point->transfers;
}

TranslatedRun::Engine::Step TranslatedRun::Engine::go_on(const Limit& limit) {
  if (no_code_) return fault_natively(*std::exchange(no_code_, std::nullopt));
  if (std::exchange(bad_target_, false)) return fault_at_transfer();
  if (Step reached = limit_reached(limit)) return reached;
  if (interrupted_ && arrival_ == Arrival::Arrived) return Interrupted{};
  const auto place = cache_->places().find(point_.pc);
  bool careful = is_near(limit) || arrival_ == Arrival::Resumed;
  if (place != cache_->places().end() && arrival_ != Arrival::Resumed) {
    const PlaceActions& actions = place->second;
    if (Step reached = place_reached(actions)) return reached;
    careful = careful || actions.stop || actions.match;
    if (careful && actions.record) counter_.visit(*actions.record);
  }
  return careful ? step(limit) : sprint(limit);
}

TranslatedRun::Engine::Step TranslatedRun::Engine::limit_reached(const Limit& limit) {
  if (!limit.point || counter_.transfers() < limit.point->transfers) return std::nullopt;
  const ExecutionPoint& wanted = *limit.point;
  if (counter_.transfers() > wanted.transfers) return PointMissed{};
  if (wanted.pc == 0) return PointReached{};
  if (wanted.pc != point_.pc) return std::nullopt;
  if (wanted.rep_done < point_.rep_done) return PointMissed{};
  const std::uint64_t more = wanted.rep_done - point_.rep_done;
  if (more != 0 && !advance_repetition(more)) return PointMissed{};
  return PointReached{};
}

TranslatedRun::Engine::Step TranslatedRun::Engine::place_reached(const PlaceActions& actions) {
  if (arrival_ != Arrival::Arrived) return std::nullopt;
  if (actions.stop) return PlaceReached{};
  return actions.match ? matched() : std::nullopt;
}

TranslatedRun::Engine::Step TranslatedRun::Engine::matched() {
  user_regs_struct& registers = thread_.registers();
  const user_regs_struct before = registers;
  if (registers.rcx > match_->rcx && !advance_repetition(registers.rcx - match_->rcx)) {
    return std::nullopt;
  }
  if (same_registers(registers, *match_)) return StateMatched{};
  if (registers.rcx != before.rcx) arrival_ = Arrival::Resumed;
  return std::nullopt;
}

TranslatedRun::Engine::Step TranslatedRun::Engine::step(const Limit& limit) {
  if (cache_->has_x87_for_once()) mend_x87();
  const bool last = limit.point && limit.point->transfers == counter_.transfers();
  const auto code = cache_->precise_block_at(point_.pc, last ? limit.point->pc : 0);
  if (!take(code, point_.pc)) return std::nullopt;
  for (;;) {
    cache_->memory().flush();
    ThreadStop stop = thread_.resume();
    if (stop.reason != ThreadStop::Reason::Trap) return stopped(std::move(stop));
    const Exit* exit = cache_->exit_at(thread_.registers().rip - 1);
    ICECORE_CHECK(exit != nullptr);
    if (exit->kind == ExitKind::SaveX87) {
      mend_x87();
      continue;
    }
    if (exit->after_transfer) counter_.add_transfer();
    if (exit->kind == ExitKind::Link) {
      arrive(exit->pc, Arrival::Arrived);
      return std::nullopt;
    }
    if (exit->kind != ExitKind::Indirect) return leave_at(*exit, stop);
    arrive(take_target(), Arrival::Arrived);
    return std::nullopt;
  }
}

TranslatedRun::Engine::Step TranslatedRun::Engine::sprint(const Limit& limit) {
  make_room();
  auto code = take(cache_->block_at(point_.pc), point_.pc);
  arm(limit);
  while (code) {
    thread_.registers().rip = *code;
    cache_->memory().flush();
    ThreadStop stop = thread_.resume();
    ++stops_;
    if (stop.reason != ThreadStop::Reason::Trap) return stopped(std::move(stop));
    const std::uint64_t at = thread_.registers().rip - 1;
    if (at == cache_->memory().miss()) {
      code = after_indirect();
      continue;
    }
    const Exit* found = cache_->exit_at(at);
    ICECORE_CHECK(found != nullptr);
    const Exit exit = *found;
    if (exit.kind == ExitKind::Link) {
      code = after_link(exit);
    } else if (exit.kind == ExitKind::LaneEmpty) {
      code = after_empty_lane(limit);
    } else if (exit.kind == ExitKind::SaveX87) {
      mend_x87();
      code = at + 1;
    } else {
      counter_.settle(cache_->memory());
      return leave_at(exit, stop);
    }
  }
  return std::nullopt;
}

void TranslatedRun::Engine::arm(const Limit& limit) {
  std::uint64_t budget = kSlice;
  if (limit.point) {
    budget = std::min(budget, limit.point->transfers - counter_.transfers() - kNear);
  }
  counter_.arm(cache_->memory(), budget);
}

/// x87's last address is made native before the block that holds it is forgotten.
void TranslatedRun::Engine::make_room() {
  if (!cache_->is_full()) return;
  mend_x87();
  cache_->forget();
}

std::optional<std::uint64_t> TranslatedRun::Engine::take(
    const std::variant<std::uint64_t, WhyNot>& code, std::uint64_t pc) {
  if (const auto* address = std::get_if<std::uint64_t>(&code)) {
    thread_.registers().rip = *address;
    return *address;
  }
  counter_.settle(cache_->memory());
  arrive(pc, Arrival::Arrived);
  no_code_ = std::get<WhyNot>(code);
  return std::nullopt;
}

std::optional<std::uint64_t> TranslatedRun::Engine::after_link(const Exit& exit) {
  const bool full = cache_->is_full();
  make_room();
  return take(full ? cache_->block_at(exit.pc) : cache_->follow(exit), exit.pc);
}

std::optional<std::uint64_t> TranslatedRun::Engine::after_indirect() {
  make_room();
  const std::uint64_t target = take_target();
  if (!bad_target_) return take(cache_->target_block_at(target), target);
  counter_.settle(cache_->memory());
  arrive(target, Arrival::Arrived);
  return std::nullopt;
}

std::optional<std::uint64_t> TranslatedRun::Engine::after_empty_lane(const Limit& limit) {
  counter_.settle(cache_->memory());
  interrupted_ = limit.keep_going && !limit.keep_going();
  const std::uint64_t trap = thread_.registers().rip - 1;
  if (!interrupted_ && !is_near(limit)) {
    arm(limit);
    return trap + 1;
  }
  make_native(trap);
  arrival_ = Arrival::Resumed;
  return std::nullopt;
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/history.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "replay/record/seen_registers.h"
#include "replay/translate/instruction.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::registers_of;

namespace {

constexpr std::size_t kMostKept = 48;
/// How far before a moment its first origin lies, and how far apart its origins are: what a row of
/// steps back costs each, in single steps of 16 us and a fork, against how often origins have to be
/// found. An instruction with a rep prefix is a step for each of its rounds.
constexpr std::uint64_t kTransfersToOrigin = 32;
constexpr std::uint64_t kStepsFromOrigin = 16;
constexpr std::size_t kMostOrigins = 16;

/// Whether the instruction that the process stands at counts as a transfer.
bool at_transfer(const Replayer& replayer) {
  std::array<std::uint8_t, 15> code{};
  const auto got = replayer.memory().read_some(replayer.registers().rip,
                                               std::as_writable_bytes(std::span(code)));
  const auto instruction = decode(std::span(code).first(got));
  if (!instruction) return false;
  switch (instruction->flow) {
    case Flow::Jump:
    case Flow::Conditional:
    case Flow::CountedJump:
    case Flow::Call:
    case Flow::JumpIndirect:
    case Flow::CallIndirect:
    case Flow::Return:
      return true;
    case Flow::Next:
    case Flow::SystemCall:
    case Flow::Input:
    case Flow::Breakpoint:
    case Flow::SavesX87:
    case Flow::Unsupported:
      return false;
  }
  return false;
}

std::shared_ptr<Moment> standing(const Replayer& replayer, const Position& position) {
  auto moment = std::make_shared<Moment>();
  moment->process = replayer.copy();
  moment->pid = moment->process->pid();
  moment->registers = replayer.registers();
  moment->position = position;
  return moment;
}

}  // namespace

CountedReplay History::replay(const Moment& start) const { return {start, past_}; }

void History::keep(MomentPointer moment) {
  const Position position = moment->position;
  kept_.insert_or_assign(position, std::move(moment));
  if (kept_.size() <= kMostKept) return;
  // The nearer to the end, the denser: the one whose neighbours are nearest for its age goes.
  auto chosen = std::next(kept_.begin());
  double least = 1e300;
  const auto now = static_cast<double>(kept_.rbegin()->first.events) + 1;
  for (auto it = std::next(kept_.begin()); std::next(it) != kept_.end(); ++it) {
    const auto gap = static_cast<double>(std::next(it)->first.events - std::prev(it)->first.events);
    const double age = now - static_cast<double>(it->first.events);
    if (gap / age >= least) continue;
    least = gap / age;
    chosen = it;
  }
  kept_.erase(chosen);
}

MomentPointer History::add_checkpoint(int pid) {
  auto moment = std::make_shared<Moment>();
  moment->process = copy_process(pid, past_.syscall_instruction);
  moment->pid = moment->process->pid();
  moment->registers = as_seen(registers_of(moment->pid));
  moment->position = {log_.end(), {0, moment->registers.rip, 0}};
  moment->time = std::chrono::steady_clock::now();
  keep(moment);
  return moment;
}

MomentPointer History::add_witness(int pid) {
  constexpr std::size_t kMostWitnesses = 16;
  const std::uint64_t number = log_.end() - 1;
  auto moment = add_checkpoint(pid);
  places_.expect(number, moment);
  if (places_.witness_count() > kMostWitnesses) find_in_time(number);
  return moment;
}

/// The recorded program waits meanwhile.
void History::find_in_time(std::uint64_t number) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  past_.keep_going = [deadline] { return Clock::now() < deadline; };
  try {
    // From the one before it, which is not far.
    auto way = replay(nearest({number, {~0ULL, 0, 0}}));
    way.run_to_event(number);
    way.run_to_stretch_end();
  } catch (const SearchEnded&) {
    past_.keep_going = {};
    throw Error("where signal " + std::to_string(log_.interruption(number)->signal) +
                " came was not found in 2 s");
  }
  past_.keep_going = {};
}

std::vector<int> History::copies() const {
  std::vector<int> pids;
  for (const auto& [position, moment] : kept_) pids.push_back(moment->pid);
  return pids;
}

MomentPointer History::begin() const { return kept_.empty() ? nullptr : kept_.begin()->second; }

std::uint64_t History::forget_half() {
  const auto half = static_cast<std::ptrdiff_t>(kept_.size() / 2);
  kept_.erase(kept_.begin(), std::next(kept_.begin(), half));
  const std::uint64_t first = kept_.empty() ? log_.end() : kept_.begin()->first.events;
  places_.forget_before(first);
  return first;
}

const Moment& History::nearest(const Position& position) const {
  const auto above = kept_.upper_bound(position);
  if (above == kept_.begin()) throw Error("that moment is before the beginning of the history");
  return *std::prev(above)->second;
}

MomentPointer History::present(int pid) {
  auto moment = std::make_shared<Moment>();
  moment->pid = pid;
  moment->registers = as_seen(registers_of(pid));
  // A call that has been entered is still to be made.
  if (ptrace_call::syscall_side(pid) == ptrace_call::SyscallSide::Entry) {
    moment->registers.rip -= 2;
  }
  moment->position = {log_.end(), {}};
  auto way = replay(nearest({log_.end(), {~0ULL, 0, 0}}));
  if (way.position().events != log_.end()) {
    // What follows will begin here, too.
    way.run_to_event(log_.end());
    keep(way.mark());
  }
  way.find(*moment);
  moment->position = way.position();
  return moment;
}

MomentPointer History::at(const Position& position) {
  auto way = replay(nearest(position));
  way.run_to(position);
  return way.finish();
}

MomentPointer History::behind_event(std::uint64_t events) {
  auto way = replay(nearest({events, {0, ~0ULL, 0}}));
  way.run_to_event(events);
  return way.finish();
}

/// Somewhere between, or null when there is nowhere.
MomentPointer History::middle_of(const Moment& start, const Position& end) {
  constexpr std::uint64_t kFewTransfers = 64;
  const Position& from = start.position;
  auto way = replay(start);
  if (end.events > from.events + 1) {
    way.run_to_event((from.events + end.events + 1) / 2);
    return way.mark();
  }
  std::uint64_t last = end.point.transfers;
  if (end.events != from.events) {
    way.run_to_stretch_end();
    last = way.position().point.transfers;
  }
  if (last - from.point.transfers > kFewTransfers) {
    auto half = replay(start);
    half.run_to({from.events, {(from.point.transfers + last) / 2, 0, 0}});
    return half.mark();
  }
  if (end.events == from.events || end.point.transfers == 0) return nullptr;
  way.cross_event();
  return way.mark();
}

/// Where many visits have to be asked whether they count, the later half is asked first.
std::optional<Visit> History::last_visit(const Moment& start, const Position& end,
                                         const Goal& goal) {
  constexpr std::uint64_t kAskedAtOnce = 4000;
  if (!goal.counts) return replay(start).last_visit(end, goal);
  const std::uint64_t visits = replay(start).count_visits(end, goal);
  if (visits == 0 && goal.watches.empty()) return std::nullopt;
  const MomentPointer middle = visits > kAskedAtOnce ? middle_of(start, end) : nullptr;
  if (!middle) return replay(start).last_visit(end, goal);
  if (auto later = last_visit(*middle, end, goal)) return later;
  return last_visit(start, middle->position, goal);
}

std::optional<Found> History::find_last(const Moment& now, const Goal& goal) {
  Position end = now.position;
  while (!kept_.empty() && kept_.begin()->first < end) {
    const auto start = std::prev(kept_.lower_bound(end));
    const auto visit = last_visit(*start->second, end, goal);
    if (!visit) {
      end = start->first;
      continue;
    }
    auto moment = at(visit->position);
    if (!visit->watch) return Found{std::move(moment), {}};
    // As it was in front of the write.
    return Found{step_back(*moment), visit->watch};
  }
  return std::nullopt;
}

std::optional<Found> History::find_next(const Moment& now, const Position& end, const Goal& goal) {
  auto way = replay(now);
  const auto visit = way.first_visit(end, goal);
  if (!visit) return std::nullopt;
  return Found{way.finish(), visit->watch};
}

/// The first of the changes by a debugger that ended, with this one, where they began: it has
/// called a function.
std::uint64_t History::opening_of(std::uint64_t number) const {
  const user_regs_struct& after = log_.interruption(number)->after;
  if (equal_registers(log_.interruption(number)->before, after)) return number;
  for (std::uint64_t earlier = number; earlier > log_.begin(); --earlier) {
    const Interruption* taken = log_.interruption(earlier - 1);
    if (taken != nullptr && taken->signal == 0 && equal_registers(taken->before, after)) {
      return earlier - 1;
    }
  }
  return number;
}

/// Null when a debugger changed nothing right before `position`.
MomentPointer History::in_front_of_debugger(const Position& position) {
  if (position.events == 0) return nullptr;
  const Interruption* taken = log_.interruption(position.events - 1);
  if (taken == nullptr || taken->signal != 0) return nullptr;
  if (position.point != ExecutionPoint{0, taken->after.rip, 0}) return nullptr;
  const std::uint64_t number = opening_of(position.events - 1);
  if (number < begin()->position.events) return nullptr;
  auto before = before_event(number);
  auto farther = in_front_of_debugger(before->position);
  return farther ? farther : before;
}

MomentPointer History::step_back(const Moment& now) {
  if (const auto start = in_front_of_debugger(now.position)) return step_back(*start);
  if (now.origin && now.steps > 0) return steps_from(now.origin, now.steps - 1);
  if (now.origin && now.origin->origin) return step_back(*now.origin);
  if (begin() && now.position <= begin()->position) return nullptr;
  const auto found = with_origin(now.position);
  if (found->steps > 0) return steps_from(found->origin, found->steps - 1);
  return before_event(now.position.events - 1);
}

MomentPointer History::before_event(std::uint64_t number) {
  auto way = replay(nearest({number, {~0ULL, 0, 0}}));
  way.run_to_event(number);
  way.run_to_stretch_end();
  return way.finish();
}

MomentPointer History::steps_from(const MomentPointer& origin, std::uint64_t steps) {
  Replayer replayer(copy_process(origin->pid, past_.syscall_instruction), log_,
                    origin->position.events, past_.syscall_instruction);
  Position position = origin->position;
  for (std::uint64_t i = 0; i < steps; ++i) {
    position.point.transfers += at_transfer(replayer) ? 1 : 0;
    const std::uint64_t pc = replayer.registers().rip;
    replayer.step();
    position.point.rep_done = replayer.registers().rip == pc ? position.point.rep_done + 1 : 0;
  }
  auto moment = std::make_shared<Moment>();
  moment->registers = replayer.registers();
  position.point.pc = moment->registers.rip;
  moment->position = position;
  moment->process = replayer.release();
  moment->pid = moment->process->pid();
  moment->origin = origin;
  moment->steps = steps;
  return moment;
}

/// The moment at `position` with the steps that lead to it from some transfers before.
MomentPointer History::with_origin(const Position& position) {
  const std::uint64_t transfers = position.point.transfers;
  auto way = replay(nearest({position.events, {0, ~0ULL, 0}}));
  way.run_to_event(position.events);
  if (transfers > kTransfersToOrigin)
    way.run_to({position.events, {transfers - kTransfersToOrigin, 0, 0}});
  ExecutionPoint point = way.mark()->position.point;
  auto& replayer = way.replayer();
  std::deque origins{standing(replayer, {position.events, point})};
  std::uint64_t steps = 0;
  for (; point != position.point; ++steps) {
    if (steps == kStepsFromOrigin) {
      auto next = standing(replayer, {position.events, point});
      next->origin = origins.back();
      next->steps = std::exchange(steps, 0);
      origins.push_back(std::move(next));
    }
    if (origins.size() > kMostOrigins) {
      origins.pop_front();
      origins.front()->origin = nullptr;
    }
    if (point.transfers > transfers || replayer.next_event() != position.events) {
      throw ReplayDiverged(position.events, "the point does not come");
    }
    const std::uint64_t pc = point.pc;
    point.transfers += at_transfer(replayer) ? 1 : 0;
    replayer.step();
    point.pc = replayer.registers().rip;
    point.rep_done = point.pc == pc ? point.rep_done + 1 : 0;
  }
  auto moment = std::make_shared<Moment>();
  moment->position = position;
  moment->origin = origins.back();
  moment->steps = steps;
  return moment;
}

MomentPointer History::step_on(const Moment& now) {
  auto way = replay(now);
  Position position = now.position;
  if (way.crosses_interruption()) return way.finish();
  const std::uint64_t pc = position.point.pc;
  position.point.transfers += at_transfer(way.replayer()) ? 1 : 0;
  way.replayer().step();
  auto moment = std::make_shared<Moment>();
  moment->registers = way.replayer().registers();
  const std::uint64_t next = moment->registers.rip;
  if (way.replayer().next_event() != position.events) {
    position = {way.replayer().next_event(), {0, next, 0}};
  } else {
    position.point.rep_done = next == pc ? position.point.rep_done + 1 : 0;
    position.point.pc = next;
  }
  moment->position = position;
  moment->process = way.replayer().release();
  moment->pid = moment->process->pid();
  return moment;
}

}  // namespace icecore::replay

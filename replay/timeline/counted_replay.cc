// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/counted_replay.h"

#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "replay/record/seen_registers.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

using snapshot::registers_of;
using snapshot::throw_gone;

namespace {

/// Ascending, and none that overlap.
std::vector<AddressRange> merged(std::vector<AddressRange> ranges) {
  std::ranges::sort(ranges, {}, &AddressRange::start);
  std::vector<AddressRange> result;
  for (const auto& range : ranges) {
    if (!result.empty() && range.start <= result.back().end) {
      result.back().end = std::max(result.back().end, range.end);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

}  // namespace

CountedReplay::CountedReplay(const Moment& start, const Past& past)
    : replayer_(copy_process(start.pid, past.syscall_instruction), past.log, start.position.events,
                past.syscall_instruction),
      past_(past),
      position_(start.position) {}

TranslatedRun& CountedReplay::translated() {
  if (translated_) return *translated_;
  // What the program will map is not to be in our way, nor we in its.
  std::vector<AddressRange> reserved;
  for (auto number = replayer_.next_event(); number < past_.log.end(); ++number) {
    const auto* layout = std::get_if<LayoutCall>(past_.log.find(number));
    if (layout == nullptr || layout->call.result < 0) continue;
    const auto start = static_cast<std::uint64_t>(layout->call.result);
    const bool moved = layout->call.number == SYS_mremap;
    if (layout->call.number == SYS_brk) {
      constexpr std::uint64_t kHeapRoom = 64ULL << 20U;
      reserved.push_back({start - std::min(start, kHeapRoom), start + kHeapRoom, {}});
    }
    if (moved || layout->call.number == SYS_mmap) {
      reserved.push_back({start, start + layout->call.arguments[moved ? 2 : 1], {}});
    }
  }
  counted_before_ = position_.point.transfers;
  return translated_.emplace(replayer_.pid(), merged(std::move(reserved)));
}

void CountedReplay::run_to_event(std::uint64_t events) {
  while (position_.events < events) {
    const std::uint64_t anywhere = std::min(events, past_.log.next_anywhere(position_.events));
    if (anywhere != position_.events) run_natively(anywhere);
    if (anywhere == events) return;
    run_to_interruption();
    cross_event();
  }
}

void CountedReplay::run_natively(std::uint64_t events) {
  translated_.reset();
  StopSet stops;
  stops.event_limit = events;
  if (replayer_.run(stops).kind != Arrival::Kind::EventLimit) {
    throw ReplayDiverged(events, "what was recorded ends there");
  }
  position_ = {events, {0, replayer_.registers().rip, 0}};
  counted_before_ = 0;
}

CountedReplay::Stretch CountedReplay::run(const Limit& limit) {
  auto& run = translated();
  Limit shifted = limit;
  shifted.keep_going = past_.keep_going;
  if (shifted.point) shifted.point->transfers -= counted_before_;
  Outcome outcome = run.run(shifted);
  while (passes_input(outcome)) outcome = run.run(shifted);
  position_.point = run.point();
  position_.point.transfers += counted_before_;
  return std::visit(Overloaded{
                        [](const PointReached&) { return Stretch::Reached; },
                        [](const PlaceReached&) { return Stretch::Visited; },
                        [](const StateMatched&) { return Stretch::Matched; },
                        [](const WatchTrapped&) { return Stretch::Watched; },
                        [](const SystemCall&) { return Stretch::Ended; },
                        [](const InputInstruction&) { return Stretch::Ended; },
                        [](const Fault&) { return Stretch::Ended; },
                        [this](const PointMissed&) -> Stretch {
                          throw ReplayDiverged(position_.events, "the point does not come");
                        },
                        [](const Interrupted&) -> Stretch { throw SearchEnded(); },
                        [this](const Ended&) -> Stretch { throw_gone(replayer_.pid()); },
                    },
                    outcome);
}

/// Instructions that answer the same on the same CPU are no events: they are done natively.
bool CountedReplay::passes_input(const Outcome& outcome) {
  const auto* input = std::get_if<InputInstruction>(&outcome);
  if (input == nullptr) return false;
  switch (input->kind) {
    case InputInstruction::Kind::Rdtsc:
    case InputInstruction::Kind::Rdtscp:
      return false;
    case InputInstruction::Kind::Cpuid:
    case InputInstruction::Kind::Rdpid:
      replayer_.step();
      return true;
    case InputInstruction::Kind::Rdrand:
    case InputInstruction::Kind::Rdseed:
    case InputInstruction::Kind::Rdpmc:
      break;
  }
  throw Refused(
      "the way back leads past an instruction that asks the CPU for a random number, "
      "which nobody could keep");
}

void CountedReplay::run_to(const Position& target) {
  if (target.events != position_.events) run_to_event(target.events);
  if (target.point == position_.point) return;
  Limit limit;
  limit.point = target.point;
  // An instruction that faults ends its stretch, whether it was the wanted one or not.
  if (run(limit) != Stretch::Reached && position_.point != target.point) {
    throw ReplayDiverged(target.events, "the stretch ends before the point");
  }
}

void CountedReplay::run_to_stretch_end() {
  const Interruption* taken = next_interruption();
  if (taken != nullptr && taken->place == Interruption::Place::BehindEvent) return;
  if (taken != nullptr && taken->place == Interruption::Place::Anywhere) {
    return run_to_interruption();
  }
  if (run({}) != Stretch::Ended) {
    throw ReplayDiverged(position_.events, "the stretch does not end");
  }
}

void CountedReplay::cross_event() {
  const std::uint64_t number = replayer_.next_event();
  const Event* event = past_.log.find(number);
  if (event == nullptr) throw ReplayDiverged(number, "what was recorded ends there");
  const Interruption* taken = next_interruption();
  // The cache is memory that the recorded process did not have.
  if (taken != nullptr) translated_.reset();
  if (taken != nullptr && taken->place == Interruption::Place::Anywhere) {
    replayer_.interrupt();
  } else {
    replayer_.step();
  }
  if (replayer_.next_event() != number + 1) {
    throw ReplayDiverged(number, "the event does not come where it came");
  }
  if (translated_) forget_changed_code(*event);
  if (translated_) translated_->restart_count();
  counted_before_ = 0;
  position_ = {number + 1, {0, replayer_.registers().rip, 0}};
}

void CountedReplay::forget_changed_code(const Event& event) {
  const auto* layout = std::get_if<LayoutCall>(&event);
  if (layout == nullptr) return;
  const auto& call = layout->call;
  if (call.number == SYS_arch_prctl || call.number == SYS_brk || call.number == SYS_rseq) return;
  const auto result = static_cast<std::uint64_t>(call.result);
  const std::uint64_t start = call.number == SYS_mmap ? result : call.arguments[0];
  translated_->forget_code(start, start + call.arguments[1]);
  if (call.number == SYS_mremap) translated_->forget_code(result, result + call.arguments[2]);
}

MomentPointer CountedReplay::moment(std::unique_ptr<ProcessCopy> process) const {
  auto result = std::make_shared<Moment>();
  result->pid = process->pid();
  result->registers = as_seen(registers_of(process->pid()));
  result->position = position_;
  result->process = std::move(process);
  return result;
}

MomentPointer CountedReplay::mark() {
  // The copy shall not have the cache.
  translated_.reset();
  return moment(replayer_.copy());
}

MomentPointer CountedReplay::finish() {
  translated_.reset();
  replayer_.watch_registers().arm(replayer_.pid(), replayer_.memory(), {});
  return moment(replayer_.release());
}

}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
// How places without a count are recognised, by counted_replay.h.
#include <algorithm>

#include "replay/record/memory_difference.h"
#include "replay/record/seen_registers.h"
#include "replay/timeline/counted_replay.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

using snapshot::xstate_of;

/// To where the next event came in the middle of nowhere, from somewhere before.
void CountedReplay::run_to_interruption() {
  const auto known = past_.places.point(replayer_.next_event());
  if (known) return run_to({position_.events, *known});
  find_interruption(replayer_.next_event());
}

void CountedReplay::find_interruption(std::uint64_t number) {
  const MomentPointer witness = past_.places.witness(number);
  const Interruption* taken = past_.log.interruption(number);
  if (!witness) throw ReplayDiverged(number, "its place was not kept");
  find_state({witness->pid, taken->before, taken->xstate_before, taken->writes});
  past_.places.found(number, position_.point);
}

/// Where the next event comes, without going there.
ExecutionPoint CountedReplay::interruption_point() {
  const std::uint64_t number = replayer_.next_event();
  if (!past_.places.point(number)) CountedReplay(*mark(), past_).find_interruption(number);
  return *past_.places.point(number);
}

bool CountedReplay::crosses_interruption() {
  const Interruption* taken = next_interruption();
  if (taken == nullptr) return false;
  const bool here =
      taken->place == Interruption::Place::BehindEvent ||
      (taken->place == Interruption::Place::Anywhere && interruption_point() == position_.point);
  if (here) cross_event();
  return here;
}

void CountedReplay::find(const Moment& wanted) {
  run_to_event(wanted.position.events);
  find_state({wanted.pid, wanted.registers, xstate_of(wanted.pid), {}});
}

/// nullopt where it is the wanted state; else a word of memory that differs, or 0.
std::optional<std::uint64_t> CountedReplay::difference_from(const WantedState& wanted) const {
  const user_regs_struct now = replayer_.registers();
  if (!equal_registers(now, wanted.registers)) return 0;
  const TracedMemory memory(wanted.pid);
  const auto word = first_difference({replayer_.pid(), replayer_.memory(), now.rsp},
                                     {wanted.pid, memory, now.rsp}, wanted.overwritten);
  if (word) return word;
  if (!equal_xstate(xstate_of(replayer_.pid()), wanted.xstate)) return 0;
  return std::nullopt;
}

/// Whether all of the word is there, and what was wanted of it is known.
bool CountedReplay::can_be_compared(std::uint64_t word, const WantedState& wanted) const {
  std::uint64_t value = 0;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1));
  if (replayer_.memory().read_some(word, bytes) != bytes.size()) return false;
  return std::ranges::none_of(wanted.overwritten, [word](const MemoryWrite& write) {
    return write.address < word + sizeof word && word < write.address + write.bytes.size();
  });
}

/// A loop may come by with the same registers a million times. What of its memory differs from the
/// wanted state when it does is compared inside of the process from then on, so that a few stops
/// are enough: the counter of the loop is among the first words that differ.
void CountedReplay::find_state(const WantedState& wanted) {
  constexpr std::size_t kMostWords = 32;
  Limit limit;
  limit.state = wanted.registers;
  for (;;) {
    const auto word = difference_from(wanted);
    if (!word) return;
    if (*word != 0 && limit.words.size() < kMostWords && can_be_compared(*word, wanted)) {
      MemoryWord known{*word, 0};
      TracedMemory(wanted.pid).read(*word, std::as_writable_bytes(std::span(&known.value, 1)));
      limit.words.push_back(known);
    }
    switch (run(limit)) {
      case Stretch::Matched:
        continue;
      case Stretch::Ended:
        // A debugger may interrupt at a fault, as by an unexecutable address to return to.
        if (!difference_from(wanted)) return;
        // Inside of a call that has not come back: it stands in front of it.
        if (replayer_.registers().rip == wanted.registers.rip &&
            !past_.log.find(position_.events)) {
          return;
        }
        break;
      case Stretch::Reached:
      case Stretch::Watched:
      case Stretch::Visited:
        break;
    }
    throw ReplayDiverged(position_.events, "what comes next is not on its way");
  }
}

}  // namespace icecore::replay

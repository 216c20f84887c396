// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <memory>
#include <string>
#include <vector>

#include "replay/record/memory_difference.h"
#include "replay/record/seen_registers.h"
#include "replay/timeline/counted_replay.h"
#include "snapshot/tracing/stopped_thread.h"
#include "tests/replay/recorded_run.h"

namespace icecore::replay {

using snapshot::registers_of;
using snapshot::xstate_of;

namespace {

using test::RecordedRun;

/// How the recorded process was behind an event.
struct Seen {
  std::uint64_t events = 0;
  user_regs_struct registers{};
  std::unique_ptr<ProcessCopy> process;
};

std::string victim(const std::string& name) { return ICECORE_VICTIM_DIR "/" + name; }

/// Differences as text, nothing when there are none.
std::string differences(const Seen& seen, const Replayer& replayer) {
  std::string text;
  const auto registers = replayer.registers();
  if (!equal_registers(registers, seen.registers)) {
    const auto* one = reinterpret_cast<const unsigned long long*>(&registers);
    const auto* other = reinterpret_cast<const unsigned long long*>(&seen.registers);
    for (std::size_t i = 0; i < sizeof registers / 8; ++i) {
      if (one[i] != other[i]) {
        text += " register " + std::to_string(i) + " is " + std::to_string(one[i]) + " not " +
                std::to_string(other[i]);
      }
    }
  }
  if (!equal_xstate(xstate_of(replayer.pid()), xstate_of(seen.process->pid()))) text += " xstate";
  const auto rsp = seen.registers.rsp;
  for (const auto& write : changed_memory({seen.process->pid(), seen.process->memory(), rsp},
                                          {replayer.pid(), replayer.memory(), rsp})) {
    text +=
        " memory at " + std::to_string(write.address) + "+" + std::to_string(write.bytes.size());
  }
  return text.empty() ? text : "event " + std::to_string(seen.events) + ":" + text;
}

Moment moment_of(const RecordedRun& run) {
  Moment moment;
  moment.process = run.copy();
  moment.pid = moment.process->pid();
  moment.registers = as_seen(registers_of(moment.pid));
  moment.position = {run.log().end(), {0, moment.registers.rip, 0}};
  return moment;
}

void keep_witness(const RecordedRun& run, InterruptionPlaces& places) {
  const std::uint64_t number = run.log().end() - 1;
  const Interruption* taken = run.log().interruption(number);
  if (taken == nullptr || taken->place != Interruption::Place::Anywhere) return;
  if (places.witness(number) || places.point(number)) return;
  places.expect(number, std::make_shared<Moment>(moment_of(run)));
}

TEST(Recording, IsReplayedWithTheSameRegistersAndMemoryBehindEveryFewEvents) {
  RecordedRun run({victim("record_mix"), "2"});
  const Moment start = moment_of(run);
  InterruptionPlaces places;
  std::vector<Seen> seen;
  for (std::size_t stops = 0; run.advance(); ++stops) {
    keep_witness(run, places);
    if (stops % 11 != 0) continue;
    seen.push_back({run.log().end(), as_seen(registers_of(run.pid())), run.copy()});
  }
  ASSERT_TRUE(WIFEXITED(run.exit_status()));
  ASSERT_GT(seen.size(), 10U);
  EXPECT_EQ(run.gap(), "");
  const CountedReplay::Past past{run.log(), places, run.recorder().syscall_instruction(), {}};
  CountedReplay replay(start, past);
  for (const auto& one : seen) {
    replay.run_to_event(one.events);
    ASSERT_EQ(differences(one, replay.replayer()), "");
  }
  replay.run_to_event(run.log().end());
  EXPECT_EQ(replay.replayer().run({}).kind, Arrival::Kind::LogEnd);
}

}  // namespace
}  // namespace icecore::replay

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <memory>
#include <string>
#include <vector>

#include "replay/record/memory_difference.h"
#include "replay/record/replayer.h"
#include "replay/record/seen_registers.h"
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
  if (xstate_of(replayer.pid()) != xstate_of(seen.process->pid())) text += " xstate";
  const auto rsp = seen.registers.rsp;
  for (const auto& write : changed_memory({seen.process->pid(), seen.process->memory(), rsp},
                                          {replayer.pid(), replayer.memory(), rsp})) {
    text +=
        " memory at " + std::to_string(write.address) + "+" + std::to_string(write.bytes.size());
  }
  return text.empty() ? text : "event " + std::to_string(seen.events) + ":" + text;
}

TEST(Recording, IsReplayedWithTheSameRegistersAndMemoryBehindEveryFewEvents) {
  RecordedRun run({victim("record_mix"), "2"});
  const auto start = run.copy();
  std::vector<Seen> seen;
  for (std::size_t stops = 0; run.advance(); ++stops) {
    if (stops % 11 != 0) continue;
    seen.push_back({run.log().end(), as_seen(registers_of(run.pid())), run.copy()});
  }
  ASSERT_TRUE(WIFEXITED(run.exit_status()));
  ASSERT_GT(seen.size(), 10U);
  const auto instruction = run.recorder().syscall_instruction();
  Replayer replayer(copy_process(start->pid(), instruction), run.log(), 0, instruction);
  for (const auto& one : seen) {
    StopSet stops;
    stops.event_limit = one.events;
    ASSERT_EQ(replayer.run(stops).kind, Arrival::Kind::EventLimit) << one.events;
    ASSERT_EQ(differences(one, replayer), "");
  }
  EXPECT_EQ(replayer.run({}).kind, Arrival::Kind::LogEnd);
}

}  // namespace
}  // namespace icecore::replay

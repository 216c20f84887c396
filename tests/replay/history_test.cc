// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/history.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "replay/record/memory_difference.h"
#include "replay/record/seen_registers.h"
#include "tests/replay/recorded_run.h"

namespace icecore::replay {

namespace {

using test::address_of;
using test::RecordedRun;

/// A victim that ran to a function, with its whole history.
class Travelled {
 public:
  Travelled(const std::string& rounds, const std::string& function)
      : run_({ICECORE_VICTIM_DIR "/time_travel", rounds}),
        history_(run_.log(), run_.recorder().syscall_instruction()) {
    for (int i = 0; i < 3; ++i) run_.advance();
    history_.add_checkpoint(run_.pid());
    EXPECT_TRUE(run_.run_to(address("main")));
    EXPECT_TRUE(run_.run_to(address(function)));
    now_ = history_.present(run_.pid());
  }
  std::uint64_t address(const std::string& name) const { return address_of(run_.pid(), name); }
  History& history() { return history_; }
  const MomentPointer& now() const { return now_; }
  template <typename Type>
  Type value(const Moment& moment, std::uint64_t address) const {
    Type result{};
    TracedMemory(moment.pid).read(address, std::as_writable_bytes(std::span(&result, 1)));
    return result;
  }

 private:
  RecordedRun run_;
  History history_;
  MomentPointer now_;
};

bool same_memory(const Moment& one, const Moment& other) {
  const std::uint64_t stack = other.registers.rsp;
  return !first_difference({one.pid, TracedMemory(one.pid), stack},
                           {other.pid, TracedMemory(other.pid), stack});
}

TEST(History, StepsBackAndForwardThroughPrintfWithEqualStates) {
  Travelled life("10", "counted");
  std::vector<MomentPointer> back{life.now()};
  for (int i = 0; i < 1000; ++i) {
    back.push_back(life.history().step_back(*back.back()));
    ASSERT_TRUE(back.back()) << i;
  }
  MomentPointer forward = back.back();
  for (std::size_t i = back.size() - 1; i > 0; --i) {
    ASSERT_TRUE(equal_registers(forward->registers, back[i]->registers)) << i;
    ASSERT_EQ(forward->position, back[i]->position) << i;
    ASSERT_TRUE(same_memory(*forward, *back[i])) << i;
    forward = life.history().step_on(*forward);
  }
  EXPECT_EQ(forward->position, life.now()->position);
}

TEST(History, FindsTheLastVisitOfAPlaceInALongLoop) {
  Travelled life("1000000", "counted");
  const auto tick = life.address("tick");
  const auto found = life.history().find_last(*life.now(), {{tick}, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->moment->registers.rip, tick);
  EXPECT_EQ(found->moment->registers.rdi, 999'999U);
  const auto next = life.history().find_last(*found->moment, {{tick}, {}});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->moment->registers.rdi, 999'998U);
  const auto entry = life.history().find_last(*next->moment, {{life.address("count")}, {}});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->moment->registers.rdi, 1'000'000U);
  EXPECT_EQ(life.value<std::uint64_t>(*entry->moment, life.address("counter")), 0U);
}

TEST(History, FindsTheWriterOfASmashedWord) {
  Travelled life("10", "finish");
  const auto word = life.value<std::uint64_t>(*life.now(), life.address("victim_word"));
  const auto found = life.history().find_last(*life.now(), {{}, {{word, 8}}});
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->watch);
  EXPECT_GE(found->moment->registers.rip, life.address("fill"));
  EXPECT_LT(found->moment->registers.rip, life.address("fill") + 100);
  EXPECT_EQ(life.value<std::uint64_t>(*found->moment, word), 0x1122334455667700U);
}

TEST(History, SaysThatThereIsNothingBeforeItsBeginning) {
  Travelled life("10", "counted");
  EXPECT_FALSE(life.history().find_last(*life.now(), {{life.address("finish")}, {}}));
}

}  // namespace
}  // namespace icecore::replay

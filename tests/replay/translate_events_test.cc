// SPDX-License-Identifier: Apache-2.0
// Places, watched memory, faults, and code that changes, under translation.
#include <gtest/gtest.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <sstream>

#include "base/error.h"
#include "tests/replay/translated_program.h"

namespace icecore::replay {
namespace {

using test::TranslatedProgram;

std::vector<std::string> events_victim(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{std::string(ICECORE_VICTIM_DIR) + "/translate_events"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

/// The victim in a loop of calls, and where they are.
struct LoopingVictim {
  explicit LoopingVictim(const std::string& rounds) : original(events_victim({"loop", rounds})) {
    do {
      original.run_natively_to_system_call();
    } while (original.registers().orig_rax != SYS_sched_yield);
    visit = original.registers().rdi;
    written = original.registers().rsi;
    return_slot = original.registers().rdx;
    original.finish_system_call();
  }
  TranslatedProgram original;
  std::uint64_t visit = 0;
  std::uint64_t written = 0;
  std::uint64_t return_slot = 0;
};

TEST(TranslatedPlaces, RecordTheirLastVisitWithoutStopping) {
  LoopingVictim victim("5000");
  TranslatedProgram program(victim.original, 1);
  TranslatedRun run(program.pid());
  run.set_places({{victim.visit, Place::Action::Record}});
  ASSERT_TRUE(std::holds_alternative<SystemCall>(run.run({})));
  auto visits = run.visits();
  ASSERT_EQ(visits.size(), 1U);
  EXPECT_EQ(visits[0].count, 5000U);
  ASSERT_TRUE(visits[0].last.has_value());

  // Back: from the last visit to the one before, and so on. Far and near ones.
  ExecutionPoint last = *visits[0].last;
  for (std::uint64_t i = 4999; i > 4990; --i) {
    TranslatedProgram again(victim.original, 2);
    TranslatedRun rerun(again.pid());
    rerun.set_places({{victim.visit, Place::Action::Record}});
    ASSERT_TRUE(std::holds_alternative<PointReached>(rerun.run({.point = last})));
    EXPECT_EQ(again.registers().rip, victim.visit);
    EXPECT_EQ(again.registers().rdi, i);
    visits = rerun.visits();
    EXPECT_EQ(visits[0].count, i);
    last = visits[0].last.value();
  }
}

TEST(TranslatedPlaces, StopEachTimeButNotWhereTheRunBegins) {
  LoopingVictim victim("50");
  TranslatedProgram again(victim.original, 1);
  TranslatedRun stops(again.pid());
  for (std::uint64_t i = 0; i < 50; ++i) {
    // Changed on the way: the blocks that were made before must be made anew.
    stops.set_places({{victim.visit + 1, Place::Action::Record},
                      {victim.visit, i % 2 == 0 ? Place::Action::Stop : Place::Action::Record}});
    if (i % 2 != 0) stops.set_places({{victim.visit, Place::Action::Stop}});
    ASSERT_TRUE(std::holds_alternative<PlaceReached>(stops.run({})));
    ASSERT_EQ(again.registers().rdi, i);
    ASSERT_EQ(again.registers().rip, victim.visit);
  }
}

void watch(const TranslatedProgram& program, unsigned index, std::uint64_t address, unsigned how) {
  const auto debug_register = [&](unsigned number) {
    return offsetof(struct user, u_debugreg) + number * sizeof(long);
  };
  constexpr unsigned kEightBytes = 2;
  const long control = ::ptrace(PTRACE_PEEKUSER, program.pid(), debug_register(7), 0);
  ::ptrace(PTRACE_POKEUSER, program.pid(), debug_register(index), address);
  const unsigned long more =
      1UL << (2 * index) | static_cast<unsigned long>(kEightBytes << 2U | how) << (16 + 4 * index);
  ::ptrace(PTRACE_POKEUSER, program.pid(), debug_register(7),
           static_cast<unsigned long>(control) | more);
}

std::string described(const user_regs_struct& registers) {
  std::ostringstream out;
  out << std::hex << registers.rip << " rsp " << registers.rsp << " rcx " << registers.rcx
      << " rax " << registers.rax << " flags " << registers.eflags;
  return out.str();
}

// The stack slot is written by calls and read by returns: parts of translated transfers.
TEST(TranslatedWatches, TrapWhereTheyTrapNatively) {
  LoopingVictim victim("40");
  std::vector<std::string> native;
  constexpr unsigned kWrites = 1;
  constexpr unsigned kAccesses = 3;
  TranslatedProgram stepped(victim.original, 1);
  watch(stepped, 0, victim.written, kWrites);
  watch(stepped, 1, victim.return_slot, kAccesses);
  for (int i = 0; i < 60; ++i) {
    ::ptrace(PTRACE_CONT, stepped.pid(), 0, 0);
    stepped.wait();
    native.push_back(described(stepped.registers()));
  }
  TranslatedProgram program(victim.original, 2);
  watch(program, 0, victim.written, kWrites);
  watch(program, 1, victim.return_slot, kAccesses);
  TranslatedRun run(program.pid());
  for (std::size_t i = 0; i < native.size(); ++i) {
    const Outcome outcome = run.run({});
    ASSERT_TRUE(std::holds_alternative<WatchTrapped>(outcome)) << i << " is " << outcome.index();
    ASSERT_EQ(described(program.registers()), native[i]) << i;
    ASSERT_EQ(run.point().pc, program.registers().rip);
  }
}

void has_native_output(const std::vector<std::string>& arguments) {
  TranslatedProgram native(events_victim(arguments));
  native.run_natively();
  TranslatedProgram translated(events_victim(arguments));
  TranslatedRun run(translated.pid());
  translated.run_to_end(run);
  EXPECT_EQ(translated.status(), native.status());
  EXPECT_EQ(translated.output(), native.output());
}

TEST(TranslatedFaults, ShowTheirHandlersWhatNativeOnesShow) { has_native_output({"faults"}); }

TEST(TranslatedCode, IsForgottenWhenItsMappingChanges) { has_native_output({"patch"}); }

TEST(TranslatedCode, IsRefusedWhereItIsWritable) {
  TranslatedProgram native(events_victim({"jit"}));
  native.run_natively();
  TranslatedProgram program(events_victim({"jit"}));
  {
    TranslatedRun run(program.pid());
    try {
      program.run_to_end(run);
      FAIL() << "nothing was refused";
    } catch (const Refused& refused) {
      EXPECT_NE(std::string(refused.what()).find("its mapping is writable or shared"),
                std::string::npos);
    }
  }
  // It is native now, and can go on without translation.
  program.run_natively();
  EXPECT_EQ(program.output(), native.output());
}

void reach(TranslatedProgram& program, TranslatedRun& run, std::uint64_t transfers) {
  for (;;) {
    const Outcome outcome = run.run({.point = ExecutionPoint{transfers, 0}});
    if (std::holds_alternative<PointReached>(outcome)) return;
    ASSERT_TRUE(program.settle(outcome, run)) << "outcome " << outcome.index();
  }
}

TEST(TranslatedRuns, OfTheSameCodeAreTheSameFarAway) {
  TranslatedProgram original({std::string(ICECORE_VICTIM_DIR) + "/translate_mixed", "2000"});
  do {
    original.run_natively_to_system_call();
  } while (original.registers().orig_rax != SYS_sched_yield);
  original.finish_system_call();

  constexpr std::uint64_t kFar = 10'000'000;
  TranslatedProgram one(original, 1);
  TranslatedRun direct(one.pid());
  reach(one, direct, kFar);
  TranslatedProgram other(original, 2);
  TranslatedRun in_parts(other.pid());
  for (std::uint64_t part = kFar / 7; part < kFar; part += kFar / 7) {
    reach(other, in_parts, part);
  }
  reach(other, in_parts, kFar);
  EXPECT_EQ(in_parts.point(), direct.point());
  EXPECT_EQ(test::difference(state_of(one), state_of(other)), "");
}

TEST(TranslatedRuns, CanBeInterruptedAtAnExactPoint) {
  LoopingVictim victim("4000000000");
  TranslatedProgram program(victim.original, 1);
  TranslatedRun run(program.pid());
  int asked = 0;
  const Outcome outcome = run.run({.keep_going = [&] { return ++asked < 2; }});
  ASSERT_TRUE(std::holds_alternative<Interrupted>(outcome));
  TranslatedProgram again(victim.original, 2);
  TranslatedRun rerun(again.pid());
  ASSERT_TRUE(std::holds_alternative<PointReached>(rerun.run({.point = run.point()})));
  EXPECT_EQ(test::difference(state_of(program), state_of(again)), "");
}

class TranslatedPrograms : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(TranslatedPrograms, DoWhatTheyDoNatively) {
  TranslatedProgram native(GetParam());
  native.run_natively();
  if (WEXITSTATUS(native.status()) == 127) GTEST_SKIP() << "needs " << GetParam()[0];
  TranslatedProgram translated(GetParam());
  TranslatedRun run(translated.pid());
  EXPECT_GT(translated.run_to_end(run), 10'000U);
  EXPECT_EQ(translated.status(), native.status());
  EXPECT_EQ(translated.output(), native.output());
}

INSTANTIATE_TEST_SUITE_P(
    Whole, TranslatedPrograms,
    ::testing::Values(
        std::vector<std::string>{"sqlite3", ":memory:",
                                 "with recursive c(x) as (select 1 union all select x+1 from c "
                                 "where x<2000) select sum(x*x%7), printf('%.3f', avg(x)) from c;"},
        std::vector<std::string>{"perl", "-e",
                                 "printf('%s %.5f', join(',', sort map {$_ * 7 % 11} 1..50), 1/3)"},
        std::vector<std::string>{"/usr/bin/python3", "-S", "-E", "-c",
                                 "import json, re; print(json.dumps([i / 3 for i in range(99)]), "
                                 "re.sub('[aeiou]', '', 'translated'))"},
        std::vector<std::string>{"sha256sum", "/bin/sh"}),
    [](const auto& parameter) {
      return parameter.param[0].substr(parameter.param[0].rfind('/') + 1);
    });

}  // namespace
}  // namespace icecore::replay

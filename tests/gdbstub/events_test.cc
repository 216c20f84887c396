// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "gdbstub/hex.h"
#include "tests/gdbstub/session_fixture.h"

namespace icecore::gdbstub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using EventsTest = SessionFixture;

TEST_F(EventsTest, OnlyWhatTheClientKnowsIsWanted) {
  const std::string features = ask("qSupported:multiprocess+;fork-events+;exec-events+");
  EXPECT_THAT(features, HasSubstr("vfork-events+"));
  EXPECT_TRUE(target.wanted.forks);
  EXPECT_FALSE(target.wanted.vforks);
  EXPECT_TRUE(target.wanted.execs);
  EXPECT_FALSE(target.wanted.threads);
  EXPECT_EQ(ask("QThreadEvents:1"), "OK");
  EXPECT_TRUE(target.wanted.threads);
  EXPECT_TRUE(target.wanted.forks);
}

TEST_F(EventsTest, AForkedChildIsShownFromThenOn) {
  ask("qSupported:multiprocess+;fork-events+");
  target.events.push_back({{10, 10}, Forked{Forked::Kind::Fork, {20, 20}}});
  EXPECT_THAT(ask("vCont;c"), StartsWith("T05fork:p14.14;thread:pa.a;"));
  EXPECT_EQ(ask("qfThreadInfo"), "mpa.a,pa.b,p14.14");
  EXPECT_EQ(ask("D;14"), "OK");
  EXPECT_FALSE(session().has_ended());
  EXPECT_EQ(ask("qfThreadInfo"), "mpa.a,pa.b");
}

TEST_F(EventsTest, LldbIsToldOfAForkInItsOwnWords) {
  ask("qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+;vfork-events+");
  target.events.push_back({{10, 10}, Forked{Forked::Kind::VFork, {20, 20}}});
  EXPECT_THAT(ask("vCont;c"),
              testing::AllOf(HasSubstr("vfork:p14.14;"), HasSubstr("reason:vfork;")));
}

TEST_F(EventsTest, ThreadsBeginAndEnd) {
  ask("qSupported:multiprocess+");
  target.events.push_back({{10, 11}, ThreadStarted{}});
  EXPECT_THAT(ask("vCont;c"), StartsWith("T05create:;thread:pa.b;"));
  target.events.push_back({{10, 11}, ThreadExited{0}});
  EXPECT_EQ(ask("vCont;c"), "w00;pa.b");
  target.events.push_back({{10, 10}, NothingResumed{}});
  EXPECT_EQ(ask("vCont;c"), "N");
}

TEST_F(EventsTest, AnEndedProcessIsNewsAndNoLongerShown) {
  ask("qSupported:multiprocess+");
  target.events.push_back({{10, 10}, ProcessExited{7}});
  EXPECT_EQ(ask("vCont;c"), "W07;process:a");
  EXPECT_EQ(ask("qfThreadInfo"), "l");
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].kind, SessionNews::Kind::Exited);
  EXPECT_EQ(news[0].value, 7);
}

TEST_F(EventsTest, SignalsAreTranslated) {
  EXPECT_EQ(ask("QPassSignals:e;10;1e"), "OK");
  // gdb's 30 is Linux's 10, SIGUSR1; its 16 (SIGURG) is Linux's 23.
  EXPECT_THAT(target.passed, ElementsAre(10, 14, 23));
  EXPECT_EQ(ask("QProgramSignals:"), "OK");
  EXPECT_THAT(target.deliverable, IsEmpty());
  ask("QThreadSuffixSupported");
  EXPECT_EQ(ask("QPassSignals:0a;"), "OK");
  EXPECT_THAT(target.passed, ElementsAre(10));
  EXPECT_THAT(ask("QPassSignals:zz"), StartsWith("E"));
}

TEST_F(EventsTest, SystemCallsAreCaughtAllOrSome) {
  EXPECT_EQ(ask("QCatchSyscalls:1;e6;0"), "OK");
  EXPECT_EQ(target.caught.which, CaughtSystemCalls::Which::Listed);
  EXPECT_THAT(target.caught.numbers, ElementsAre(0, 230));
  EXPECT_EQ(ask("QCatchSyscalls:1"), "OK");
  EXPECT_EQ(target.caught.which, CaughtSystemCalls::Which::All);
  EXPECT_EQ(ask("QCatchSyscalls:0"), "OK");
  EXPECT_EQ(target.caught.which, CaughtSystemCalls::Which::None);
  EXPECT_THAT(ask("QCatchSyscalls:2"), StartsWith("E"));
  EXPECT_THAT(ask("QCatchSyscalls:0;1"), StartsWith("E"));
}

TEST_F(EventsTest, LldbPutsRegistersAsideAndGetsMemory) {
  ask("QThreadSuffixSupported");
  EXPECT_EQ(ask("QSaveRegisterState;thread:b;"), "1");
  EXPECT_EQ(ask("QSaveRegisterState"), "2");
  // The fake target refuses to write, in words.
  EXPECT_THAT(ask("QRestoreRegisterState:1;thread:b;"), StartsWith("E"));
  EXPECT_THAT(ask("QRestoreRegisterState:9"), StartsWith("E"));
  EXPECT_EQ(ask("_M1000,rx"), "7000");
  EXPECT_EQ(ask("_m7000"), "OK");
  EXPECT_THAT(target.calls, ElementsAre("allocate 4096 executable", "release 28672"));
}

}  // namespace
}  // namespace icecore::gdbstub

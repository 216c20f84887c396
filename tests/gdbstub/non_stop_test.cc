// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/gdbstub/session_fixture.h"

namespace icecore::gdbstub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class NonStopTest : public SessionFixture {
 protected:
  void SetUp() override {
    ask("qSupported:multiprocess+");
    EXPECT_EQ(ask("QNonStop:1"), "OK");
    EXPECT_EQ(target.calls.back(), "non-stop");
    target.calls.clear();
  }
};

TEST_F(NonStopTest, TellsWhatStandsStillOneByOne) {
  target.stopped = {{{10, 10}, Signalled{5}}, {{10, 11}, Signalled{0}}, {{20, 20}, Signalled{0}}};
  EXPECT_THAT(ask("?"), StartsWith("T05thread:pa.a;"));
  EXPECT_THAT(ask("vStopped"), StartsWith("T00thread:pa.b;"));
  EXPECT_EQ(ask("vStopped"), "OK");  // process 20 is not shown
  target.stopped.clear();
  EXPECT_EQ(ask("?"), "OK");
}

TEST_F(NonStopTest, AResumeIsAnsweredAtOnceAndStopsComeByThemselves) {
  EXPECT_EQ(ask("vCont;c:pa.-1"), "OK");
  EXPECT_FALSE(session().is_running());
  EXPECT_TRUE(session().awaits_event());
  target.events = {{{10, 11}, Signalled{5}}, {{10, 10}, Signalled{5}}};
  session().take_event();
  EXPECT_THAT(take_replies(), StartsWith("%Stop:T05thread:pa.b;"));
  EXPECT_FALSE(session().awaits_event());
  EXPECT_EQ(ask("qC"), "QCpa.a");
  EXPECT_EQ(ask("vStopped"), "OK");
  EXPECT_TRUE(session().awaits_event());
  session().take_event();
  EXPECT_THAT(take_replies(), StartsWith("%Stop:T05thread:pa.a;"));
  EXPECT_EQ(ask("vStopped"), "OK");
}

TEST_F(NonStopTest, AStopThatTheClientDoesNotKnowOfIsNotUndone) {
  target.events = {{{10, 11}, Signalled{5}}};
  session().take_event();
  take_replies();
  EXPECT_EQ(ask("vCont;c"), "OK");
  EXPECT_THAT(target.calls, ElementsAre("continue 10.10 signal 0", "continue 20.20 signal 0"));
}

TEST_F(NonStopTest, StopsSingleThreadsAndAll) {
  EXPECT_EQ(ask("vCont;t:pa.b"), "OK");
  EXPECT_EQ(target.calls.back(), "stop 10.11 signal 0");
  EXPECT_EQ(ask("vCtrlC"), "OK");
  EXPECT_EQ(target.calls.back(), "interrupt");
}

TEST_F(NonStopTest, AttachingIsAnsweredAtOnce) {
  EXPECT_THAT(ask("vAttach;14"), MatchesRegex("OK\\|%Stop:T00thread:p14.14;.*"));
  EXPECT_EQ(ask("vStopped"), "OK");
}

TEST_F(NonStopTest, AttachingStopsOneThreadOnly) {
  EXPECT_THAT(ask("vAttach;a"), MatchesRegex("OK\\|%Stop:T00thread:pa.a;.*"));
  EXPECT_THAT(target.calls, ElementsAre("attach 10", "continue 10.11 signal 0"));
}

TEST_F(NonStopTest, PrintingAtBreakpointsIsRefused) {
  EXPECT_THAT(ask("Z0,1000,1;cmds:0,X1,27"), StartsWith("E.printing at breakpoints"));
}

TEST_F(NonStopTest, GoingBackToAllStopForgetsWhatIsUntold) {
  target.events = {{{10, 11}, Signalled{5}}};
  session().take_event();
  take_replies();
  EXPECT_EQ(ask("QNonStop:0"), "OK");
  EXPECT_EQ(target.calls.back(), "all-stop");
  EXPECT_THAT(ask("?"), StartsWith("T05thread:pa.a;"));
  EXPECT_THAT(ask("vCont;t"), StartsWith("E."));
}

TEST(NonStop, IsRefusedWhereItIsNotPossible) {
  FakeTarget target;
  target.has_all = false;
  Session session(target);
  session.receive(frame("QNonStop:1"));
  EXPECT_NE(session.output().find("E.this target is all-stop only"), std::string::npos);
}

}  // namespace
}  // namespace icecore::gdbstub

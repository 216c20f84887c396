// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gdbstub/hex.h"
#include "tests/gdbstub/session_fixture.h"

namespace icecore::gdbstub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using SessionTest = SessionFixture;

TEST_F(SessionTest, UnknownPacketsGetTheEmptyReply) {
  for (const char* packet : {"vMustReplyEmpty", "qTStatus", "", "QAgent:1", "bmp"}) {
    session().receive(frame(packet));
    EXPECT_EQ(session().output(), "+$#00") << packet;
    session().output().clear();
  }
}

TEST_F(SessionTest, AcknowledgesUntilToldNotTo) {
  session().receive(frame("QStartNoAckMode"));
  EXPECT_EQ(session().output(), "+" + frame("OK"));
  session().output().clear();
  session().receive("+" + frame("qC"));
  EXPECT_EQ(session().output(), frame("QCa"));
}

TEST_F(SessionTest, ANackBringsTheLastPacketAgain) {
  session().receive(frame("qC"));
  session().output().clear();
  session().receive("-");
  EXPECT_EQ(session().output(), frame("QCa"));
}

TEST_F(SessionTest, FeaturesFollowTheAbilities) {
  EXPECT_THAT(ask("qSupported:multiprocess+;swbreak+"),
              testing::AllOf(StartsWith("PacketSize=20000;"), HasSubstr("ReverseContinue+"),
                             HasSubstr("qXfer:auxv:read+"), Not(HasSubstr("qXfer:siginfo"))));
  target.has_all = false;
  EXPECT_THAT(ask("qSupported:"), testing::AllOf(Not(HasSubstr("Reverse")), Not(HasSubstr("auxv")),
                                                 HasSubstr("qXfer:features:read+")));
}

TEST_F(SessionTest, AnAbilityThatIsLackingIsNotParsed) {
  target.has_all = false;
  for (const char* packet : {"bc", "bs", "vCont;c", "c", "Z0,1000,1", "vFile:setfs:0", "qRcmd,68",
                             "X1000,0:", "P0=00", "qXfer:auxv:read::0,10", "qMemoryRegionInfo:0"}) {
    EXPECT_THAT(ask(packet), IsEmpty()) << packet;
  }
}

TEST_F(SessionTest, TellsWhyItStands) {
  ask("qSupported:multiprocess+");
  EXPECT_THAT(ask("?"), StartsWith("T05thread:pa.a;"));
}

TEST_F(SessionTest, ShowsTheThreadsOfOneProcessUntilAttached) {
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("qfThreadInfo"), "mpa.a,pa.b");
  EXPECT_EQ(ask("qsThreadInfo"), "l");
  const std::string xml = ask("qXfer:threads:read::0,1000");
  EXPECT_THAT(xml, HasSubstr("name=\"a&lt;b&amp;&quot;c\""));
  EXPECT_EQ(ask("Tpa.b"), "OK");
  EXPECT_THAT(ask("Tp14.14"), StartsWith("E"));
}

TEST_F(SessionTest, ReadsRegistersOfTheSelectedThread) {
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("Hgpa.b"), "OK");
  const std::size_t rip = target.layout.find("rip").value();
  EXPECT_EQ(ask("p" + hex_number(rip)), "0b00000000000000");
  EXPECT_EQ(ask("p0"), std::string(16, 'x'));
  EXPECT_EQ(ask("g").size(), target.layout.size() * 2);
  EXPECT_THAT(ask("pffff"), StartsWith("E."));
}

TEST_F(SessionTest, AThreadThatIsGoneIsNotMistakenForTheOneBefore) {
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("Hgpa.b"), "OK");
  EXPECT_THAT(ask("Hgpa.c"), StartsWith("E"));
  EXPECT_EQ(ask("qC"), "QCpa.c");
}

TEST_F(SessionTest, LldbNamesTheThreadInTheRegisterPackets) {
  ask("QThreadSuffixSupported");
  ask("QListThreadsInStopReply");
  const std::string rip = hex_number(target.layout.find("rip").value());
  EXPECT_EQ(ask("p" + rip + ";thread:b;"), "0b00000000000000");
  EXPECT_THAT(ask("?"), testing::AllOf(HasSubstr("threads:a,b;"), HasSubstr("reason:trap;")));
  EXPECT_THAT(ask("jThreadsInfo"), HasSubstr("{\"tid\":11,\"name\":\"a<b&\\\"c\""));
}

TEST_F(SessionTest, ReadsMemoryAndSaysWhatIsNotThere) {
  EXPECT_EQ(ask("m1001,4"), "01020304");
  EXPECT_EQ(ask("m1ffe,10"), "feff");
  EXPECT_EQ(ask("m0,4"), "E01");
  EXPECT_EQ(ask("x1001,3"), "\x01\x02\x03");
  EXPECT_EQ(ask("x0,0"), "OK");
  EXPECT_THAT(ask("m1000"), StartsWith("E"));
  EXPECT_LE(ask("m1000,ffffffffffffffff").size(), kPacketSize);
}

TEST_F(SessionTest, SearchesAndSumsMemory) {
  EXPECT_EQ(ask(std::string("qSearch:memory:1000;1000;\x05\x06", 27)), "1,1005");
  EXPECT_EQ(ask(std::string("qSearch:memory:1000;4;\x05\x06", 24)), "0");
  // gdb's own test vector: crc32 of "123456789" with this polynomial, start and no final xor.
  std::ranges::copy(as_bytes("123456789"), target.memory.begin());
  EXPECT_EQ(ask("qCRC:1000,9"), "C376e6e7");
  EXPECT_EQ(ask("qCRC:1000,2000"), "E01");
}

TEST_F(SessionTest, RefusesToWriteWithTheReason) {
  EXPECT_EQ(ask("P0=0000000000000000"), "E.this is read-only");
  EXPECT_EQ(ask("M1000,1:00"), "E.this is read-only");
  ask("QThreadSuffixSupported");
  ask("QEnableErrorStrings");
  EXPECT_EQ(ask("M1000,1:00"), "E01;" + to_hex("this is read-only"));
}

TEST_F(SessionTest, GoesOnAndTellsTheStop) {
  ask("qSupported:multiprocess+;swbreak+");
  target.events.push_back({{10, 11}, HitBreakpoint{}});
  EXPECT_THAT(ask("vCont;C0a:pa.b;c"), StartsWith("T05swbreak:;thread:pa.b;"));
  // gdb's signal 10 is Linux's 7, SIGBUS.
  EXPECT_THAT(target.calls, ElementsAre("continue 10.11 signal 7", "continue -1.-1 signal 0"));
}

TEST_F(SessionTest, GoesBackWithTheThreadOfHg) {
  ask("qSupported:multiprocess+");
  ask("Hcpa.a");
  ask("Hgpa.b");
  target.events.push_back({{10, 11}, ReachedHistoryEnd{}});
  EXPECT_THAT(ask("bc"), StartsWith("T05replaylog:begin;thread:pa.b;"));
  target.events.push_back({{10, 11}, HitWatchpoint{HitWatchpoint::Kind::Write, 0x1234}});
  EXPECT_THAT(ask("bs"), StartsWith("T05watch:1234;thread:pa.b;"));
  EXPECT_THAT(target.calls, ElementsAre("back 11", "step back 11"));
}

// gdb sends it before it has read the stop at an internal breakpoint, and resumes from there: the
// target keeps it until then.
TEST_F(SessionTest, AnInterruptThatAStopHasOvertakenIsTheTargetsToKeep) {
  session().receive("\x03");
  EXPECT_THAT(take_replies(), IsEmpty());
  EXPECT_EQ(ask("c"), "");
  EXPECT_THAT(target.calls, ElementsAre("interrupt", "continue 0.0 signal 0"));
}

TEST_F(SessionTest, AnInterruptReachesARunningTarget) {
  EXPECT_EQ(ask("c"), "");
  EXPECT_TRUE(session().is_running());
  EXPECT_THAT(ask("g"), StartsWith("E"));
  session().receive("\x03");
  EXPECT_EQ(target.calls.back(), "interrupt");
  target.events.push_back({{10, 10}, Signalled{2}});
  session().take_event();
  EXPECT_THAT(take_replies(), StartsWith("T02thread:a;"));
  EXPECT_FALSE(session().is_running());
}

TEST_F(SessionTest, TellsTheEndsOfProcesses) {
  ask("qSupported:multiprocess+");
  target.events.push_back({{10, 10}, ProcessExited{3}});
  EXPECT_EQ(ask("vCont;c"), "W03;process:a");
  target.events.push_back({{10, 10}, ProcessKilled{10}});
  EXPECT_EQ(ask("vCont;c"), "X1e;process:a");
}

TEST_F(SessionTest, BreakpointsComeAndGo) {
  EXPECT_EQ(ask("Z0,1000,1"), "OK");
  EXPECT_EQ(ask("Z2,1008,8"), "OK");
  EXPECT_EQ(ask("Z3,1008,8"), "");
  EXPECT_EQ(target.inserted.size(), 2U);
  EXPECT_EQ(ask("z0,1000,1"), "OK");
  EXPECT_EQ(target.inserted.size(), 1U);
  EXPECT_THAT(ask("Z9,1000,1"), StartsWith("E"));
}

TEST_F(SessionTest, ServesFiles) {
  EXPECT_EQ(ask("vFile:setfs:0"), "F0");
  EXPECT_EQ(ask("vFile:open:" + to_hex("/held") + ",0,0"), "F3");
  EXPECT_EQ(ask("vFile:open:" + to_hex("/other") + ",0,0"), "F-1,2");
  EXPECT_EQ(ask("vFile:pread:3,100,0"), "Fa;held}bytes");
  EXPECT_EQ(ask("vFile:pread:3,100,a"), "F0;");
  EXPECT_EQ(ask("vFile:fstat:3").size(), std::string("F40;").size() + 64);
  EXPECT_EQ(ask("vFile:readlink:" + to_hex("/x")), "F5;/held");
  EXPECT_EQ(ask("vFile:pwrite:3,0,abc"), "F-1,1e");
  EXPECT_EQ(ask("vFile:close:3"), "F0");
  EXPECT_THAT(ask("vFile:open:zz"), StartsWith("E"));
}

TEST_F(SessionTest, ObjectsComeInPiecesThatFit) {
  std::string whole;
  while (true) {
    const std::string piece =
        ask("qXfer:features:read:target.xml:" + hex_number(whole.size()) + ",333");
    ASSERT_FALSE(piece.empty());
    whole += piece.substr(1);
    if (piece[0] == 'l') break;
    ASSERT_EQ(piece[0], 'm');
  }
  EXPECT_THAT(whole, testing::AllOf(StartsWith("<?xml"), HasSubstr("org.gnu.gdb.i386.avx"),
                                    testing::EndsWith("</target>\n")));
  EXPECT_EQ(ask("qXfer:exec-file:read:a:0,100"), "l/program10");
  EXPECT_THAT(ask("qXfer:features:read:target.xml:ffffffff,10"), StartsWith("E"));
}

TEST_F(SessionTest, MonitorPrintsAndRefusesInWords) {
  EXPECT_EQ(ask("qRcmd," + to_hex("hello")), "O" + to_hex("you said hello\n") + "|OK");
  EXPECT_EQ(ask("qRcmd," + to_hex("bad")), "O" + to_hex("error: cannot do that\n") + "|OK");
  EXPECT_FALSE(session().has_ended());
  EXPECT_EQ(ask("qRcmd," + to_hex("exit")), "OK");
  EXPECT_EQ(session().ending(), SessionState::Ending::Exit);
}

TEST_F(SessionTest, TellsTheRegionOrTheHole) {
  EXPECT_EQ(ask("qMemoryRegionInfo:1010"),
            "start:1000;size:1000;permissions:rw;name:" + to_hex("[fake]") + ";");
  EXPECT_EQ(ask("qMemoryRegionInfo:10"), "start:0;size:1000;");
  EXPECT_EQ(ask("qMemoryRegionInfo:ffffffffffff0000"), "start:2000;size:ffffffffffffe000;");
}

TEST_F(SessionTest, DetachingTheLastProcessEndsIt) {
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("D;a"), "OK");
  EXPECT_THAT(target.calls, ElementsAre("detach 10"));
  EXPECT_TRUE(session().has_ended());
}

TEST_F(SessionTest, GarbageDoesNotEndIt) {
  session().receive(std::string(100000, '\xff') + "$$$##" +
                    frame(std::string(kPacketSize * 2, 'x')));
  take_replies();
  EXPECT_EQ(ask("qC"), "QCa");
}

}  // namespace
}  // namespace icecore::gdbstub

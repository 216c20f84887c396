// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "gdbstub/hex.h"
#include "tests/gdbstub/session_fixture.h"

namespace icecore::gdbstub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using LaunchTest = SessionFixture;

TEST_F(LaunchTest, StartsAProgramAsTheClientSays) {
  target.living.clear();
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("!"), "OK");
  EXPECT_EQ(ask("?"), "W00");
  EXPECT_EQ(ask("QDisableRandomization:0"), "OK");
  EXPECT_EQ(ask("QStartupWithShell:1"), "OK");
  EXPECT_EQ(ask("QSetWorkingDir:" + to_hex("/tmp")), "OK");
  EXPECT_EQ(ask("QEnvironmentHexEncoded:" + to_hex("A=1")), "OK");
  EXPECT_EQ(ask("QEnvironmentHexEncoded:" + to_hex("A=b=2")), "OK");
  EXPECT_EQ(ask("QEnvironmentUnset:" + to_hex("HOME")), "OK");
  EXPECT_THAT(ask("vRun;" + to_hex("/bin/echo") + ";" + to_hex("one two") + ";"),
              StartsWith("T05thread:p1e.1e;"));
  ASSERT_EQ(target.launches.size(), 1U);
  const LaunchRequest& request = target.launches.front();
  EXPECT_EQ(request.program, "/bin/echo");
  EXPECT_THAT(request.arguments, ElementsAre("one two", ""));
  EXPECT_THAT(request.set, ElementsAre("A=b=2"));
  EXPECT_THAT(request.unset, ElementsAre("HOME"));
  EXPECT_EQ(request.working_directory, "/tmp");
  EXPECT_EQ(request.address_space, LaunchRequest::AddressSpace::Randomized);
  EXPECT_EQ(request.startup, LaunchRequest::Startup::WithShell);
  EXPECT_EQ(ask("qfThreadInfo"), "mp1e.1e");
  EXPECT_EQ(ask("qC"), "QCp1e.1e");
}

TEST_F(LaunchTest, VariablesAreForgottenAtReset) {
  ask("QEnvironment:A=1");
  ask("QEnvironmentUnset:" + to_hex("B"));
  EXPECT_EQ(ask("QEnvironmentReset"), "OK");
  ask("vRun;");
  EXPECT_THAT(target.launches.back().set, IsEmpty());
  EXPECT_THAT(target.launches.back().unset, IsEmpty());
  EXPECT_THAT(target.launches.back().program, IsEmpty());
}

TEST_F(LaunchTest, LldbStartsItsOwnWay) {
  ask("QThreadSuffixSupported");
  EXPECT_EQ(ask("QSetDisableASLR:1"), "OK");
  EXPECT_EQ(ask("A18,0," + to_hex("/bin/true") + ",2,1," + to_hex("x")), "OK");
  EXPECT_EQ(ask("qLaunchSuccess"), "OK");
  EXPECT_EQ(target.launches.back().program, "/bin/true");
  EXPECT_THAT(target.launches.back().arguments, ElementsAre("x"));
}

TEST_F(LaunchTest, BeforeTheFirstLaunchThereIsNothing) {
  target.living.clear();
  ask("qSupported:multiprocess+");
  EXPECT_EQ(ask("qfThreadInfo"), "l");
  EXPECT_THAT(ask("qC"), StartsWith("E"));
  EXPECT_THAT(ask("qProcessInfo"), StartsWith("E"));
  ask("QThreadSuffixSupported");
  EXPECT_THAT(ask("?"), StartsWith("E"));
  EXPECT_THAT(ask("qfThreadInfo"), StartsWith("E"));
}

TEST_F(LaunchTest, RestartKillsFirst) {
  ask("qSupported:multiprocess+");
  ask("vRun;" + to_hex("prog") + ";" + to_hex("arg"));
  EXPECT_THAT(ask("R00"), IsEmpty());
  EXPECT_THAT(target.calls, ElementsAre("kill 10", "kill 30"));
  EXPECT_EQ(target.launches.back().program, "prog");
  EXPECT_THAT(target.launches.back().arguments, ElementsAre("arg"));
}

TEST_F(LaunchTest, MalformedWishesStartNothing) {
  for (const char* packet : {"vRun;zz", "vRun;41004", "A", "A4,0,zz", "QStartupWithShell:2",
                             "QDisableRandomization:", "QEnvironmentHexEncoded:41",
                             "QEnvironmentUnset:", "QEnvironmentUnset:3d", "QSetWorkingDir:4100"}) {
    EXPECT_THAT(ask(packet), StartsWith("E")) << packet;
  }
  EXPECT_TRUE(target.launches.empty());
}

TEST_F(LaunchTest, AConnectionThatChoosesItsProcessesOutlivesThem) {
  ask("qSupported:multiprocess+");
  ask("!");
  EXPECT_EQ(ask("D;a"), "OK");
  EXPECT_FALSE(session().has_ended());
  EXPECT_THAT(ask("vAttach;14"), StartsWith("T00thread:p14.14;"));
  EXPECT_EQ(ask("vKill;14"), "OK");
  EXPECT_FALSE(session().has_ended());
  ASSERT_EQ(news.size(), 3U);
  EXPECT_EQ(news[0].kind, SessionNews::Kind::Detached);
  EXPECT_EQ(news[1].kind, SessionNews::Kind::Attached);
  EXPECT_EQ(news[2].kind, SessionNews::Kind::Killed);
  EXPECT_EQ(news[2].pid, 20);
}

TEST_F(LaunchTest, TellsWhetherGdbShallKillAtTheEnd) {
  EXPECT_EQ(ask("qAttached:a"), "1");
  target.process_origin = ProcessFacts::Origin::Created;
  EXPECT_EQ(ask("qAttached:a"), "0");
  EXPECT_EQ(ask("qAttached"), "0");
}

TEST_F(LaunchTest, WithoutTheAbilityNothingIsOffered) {
  target.has_all = false;
  const std::string features = ask("qSupported:multiprocess+");
  for (const char* word : {"QStartupWithShell", "QEnvironment", "QNonStop", "fork-events",
                           "QPassSignals", "QCatchSyscalls", "Conditional", "no-resumed"}) {
    EXPECT_THAT(features, Not(HasSubstr(word)));
  }
  for (const char* packet : {"vRun;", "A2,0,41", "R00", "QEnvironmentReset", "QPassSignals:e",
                             "QCatchSyscalls:1", "QThreadEvents:1", "vStopped", "_M10,rw", "!"}) {
    EXPECT_THAT(ask(packet), IsEmpty()) << packet;
  }
}

}  // namespace
}  // namespace icecore::gdbstub

// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace icecore::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array kOptions = {
    Option{"every", 'e', "TIME", "", Completes::Nothing, "1s"},
    Option{"mode", 0, "fast|slow", ""},
    Option{"all", 'a', "", ""},
};
constexpr std::array kNames = {Argument{"NAME", Argument::Count::One}};
constexpr std::array kManyNames = {Argument{"NAME", Argument::Count::One},
                                   Argument{"MORE", Argument::Count::Many}};

Command command(Rest rest, std::span<const Argument> arguments) {
  return {.name = "try",
          .summary = "",
          .usage = "",
          .arguments = arguments,
          .options = kOptions,
          .rest = rest};
}

std::string failure(const Command& verb, const std::vector<std::string>& words) {
  try {
    (void)parse_words(verb, words);
  } catch (const UsageError& error) {
    return std::string(error.what()) + " / " + error.why();
  }
  return "";
}

TEST(CommandLine, SortsOptionsAndArgumentsInAnyOrder) {
  const auto verb = command(Rest::None, kManyNames);
  const auto words =
      parse_words(verb, std::vector<std::string>{"a", "--all", "b", "-e", "2s", "c"});
  EXPECT_THAT(words.arguments, ElementsAre("a", "b", "c"));
  EXPECT_THAT(words.options.at("every"), ElementsAre("2s"));
  EXPECT_TRUE(words.options.contains("all"));
}

TEST(CommandLine, TakesTheLastOfAnOptionGivenTwice) {
  const auto verb = command(Rest::None, kNames);
  const Invocation invocation(
      verb, parse_words(verb, std::vector<std::string>{"--every=1s", "a", "--every", "3s"}));
  EXPECT_EQ(invocation.duration("every"), std::chrono::seconds(3));
}

TEST(CommandLine, FallsBackToTheDefaultOfTheTable) {
  const auto verb = command(Rest::None, kNames);
  const Invocation invocation(verb, parse_words(verb, std::vector<std::string>{"a"}));
  EXPECT_EQ(invocation.duration("every"), std::chrono::seconds(1));
  EXPECT_FALSE(invocation.has("every"));
}

TEST(CommandLine, LeavesTheWordsOfAnotherProgramAlone) {
  const auto verb = command(Rest::FromFirstWord, {});
  for (const auto& words : {std::vector<std::string>{"-e", "2s", "ls", "--all", "-e"},
                            std::vector<std::string>{"-e", "2s", "--", "ls", "--all", "-e"}}) {
    const auto parsed = parse_words(verb, words);
    EXPECT_THAT(parsed.rest, ElementsAre("ls", "--all", "-e"));
    EXPECT_FALSE(parsed.options.contains("all"));
  }
}

TEST(CommandLine, KeepsASecondDoubleDashForTheProgram) {
  const auto verb = command(Rest::FromFirstWord, {});
  EXPECT_THAT(parse_words(verb, std::vector<std::string>{"--", "git", "--", "x"}).rest,
              ElementsAre("git", "--", "x"));
}

TEST(CommandLine, GivesWhatFollowsTheDashesToTheDebugger) {
  const auto verb = command(Rest::AfterDashes, kNames);
  const auto parsed = parse_words(verb, std::vector<std::string>{"@-3", "--all", "--", "-batch"});
  EXPECT_THAT(parsed.arguments, ElementsAre("@-3"));
  EXPECT_THAT(parsed.rest, ElementsAre("-batch"));
  EXPECT_TRUE(parsed.options.contains("all"));
}

TEST(CommandLine, TakesNamesThatLookLikeOptionsBehindDashes) {
  const auto verb = command(Rest::None, kNames);
  EXPECT_THAT(parse_words(verb, std::vector<std::string>{"--", "--all"}).arguments,
              ElementsAre("--all"));
}

TEST(CommandLine, NamesWhatIsWrong) {
  const auto verb = command(Rest::None, kNames);
  EXPECT_THAT(failure(verb, {}), HasSubstr("NAME is missing"));
  EXPECT_THAT(failure(verb, {"a", "b"}), HasSubstr("one word too many: b"));
  EXPECT_THAT(failure(verb, {"a", "--al"}), HasSubstr("the nearest: --all"));
  EXPECT_THAT(failure(verb, {"a", "--mode", "odd"}), HasSubstr("fast|slow"));
  EXPECT_THAT(failure(verb, {"a", "--every"}), HasSubstr("every"));
  EXPECT_THAT(failure(verb, {"a"}), IsEmpty());
}

TEST(CommandLine, RefusesDurationsThatAreNone) {
  const auto verb = command(Rest::None, kNames);
  for (const std::string wrong : {"fast", "-1s", "1x", "1e30s", "1 s"}) {
    const Invocation invocation(
        verb, parse_words(verb, std::vector<std::string>{"a", "--every=" + wrong}));
    try {
      (void)invocation.duration("every");
      FAIL() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_status(), ExitStatus::WrongUsage) << wrong;
    }
  }
}

}  // namespace
}  // namespace icecore::cli

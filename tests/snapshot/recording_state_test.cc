// SPDX-License-Identifier: Apache-2.0
#include "snapshot/recording_state.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_directory.h"

namespace icecore::snapshot {
namespace {

using enum RecordingState;

constexpr std::array kAll{Running,       Freezing,   Frozen,   Thawing,
                          Checkpointing, Restarting, Aborting, Dead};

/// Written out once more, by name: what people and scripts may rely on.
const std::set<std::pair<std::string, std::string>> kLegal{
    {"RUNNING", "FREEZING"},  {"FREEZING", "FROZEN"}, {"FREEZING", "THAWING"},
    {"FROZEN", "THAWING"},    {"FROZEN", "CKPTING"},  {"FROZEN", "RSTRTING"},
    {"THAWING", "RUNNING"},   {"CKPTING", "FROZEN"},  {"RSTRTING", "FROZEN"},
    {"RSTRTING", "ABORTING"}, {"ABORTING", "DEAD"},   {"RUNNING", "DEAD"},
    {"FREEZING", "DEAD"},     {"FROZEN", "DEAD"},     {"THAWING", "DEAD"},
    {"CKPTING", "DEAD"},      {"RSTRTING", "DEAD"},
};

TEST(RecordingState, HasTheLegalTransitionsAndNoOther) {
  for (const auto from : kAll) {
    for (const auto to : kAll) {
      const std::pair names{std::string(name_of(from)), std::string(name_of(to))};
      EXPECT_EQ(is_legal(from, to), kLegal.contains(names)) << names.first << " " << names.second;
    }
  }
}

/// Some way from Running to `state`.
std::vector<RecordingState> way_to(RecordingState state) {
  switch (state) {
    case Running:
      return {};
    case Freezing:
      return {Freezing};
    case Frozen:
      return {Freezing, Frozen};
    case Thawing:
      return {Freezing, Thawing};
    case Checkpointing:
      return {Freezing, Frozen, Checkpointing};
    case Restarting:
      return {Freezing, Frozen, Restarting};
    case Aborting:
      return {Freezing, Frozen, Restarting, Aborting};
    case Dead:
      return {Dead};
  }
  return {};
}

class StateWordIn : public ::testing::TestWithParam<RecordingState> {
 protected:
  test::TempDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "x.state";
};

TEST_P(StateWordIn, IsReadByOthersAndMovesOnOnlyLegally) {
  for (const auto to : kAll) {
    StateWord word(file_, 42);
    for (const auto step : way_to(GetParam())) word.enter(step);
    const auto before = StateWord::read(file_);
    ASSERT_TRUE(before);
    EXPECT_EQ(before->state, GetParam());
    EXPECT_EQ(before->root_pid, 42);
    EXPECT_EQ(before->owner_pid, ::getpid());
    if (is_legal(GetParam(), to) || to == GetParam()) {
      word.enter(to);
      EXPECT_EQ(StateWord::read(file_)->state, to);
      EXPECT_GE(StateWord::read(file_)->since_ns, before->since_ns);
    } else {
      EXPECT_DEATH(word.enter(to), "is_legal") << name_of(to);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, StateWordIn, ::testing::ValuesIn(kAll),
                         [](const auto& state) { return std::string(name_of(state.param)); });

TEST(StateWord, NamesTheHoldupUntilTheNextTransition) {
  const test::TempDirectory directory;
  const auto file = directory.path() / "x.state";
  StateWord word(file, 42);
  word.enter(Freezing);
  const auto since = StateWord::read(file)->since_ns;
  word.set_holdup(4711);
  EXPECT_EQ(StateWord::read(file)->holdup_tid, 4711);
  EXPECT_EQ(StateWord::read(file)->state, Freezing);
  EXPECT_EQ(StateWord::read(file)->since_ns, since);
  word.enter(Thawing);
  EXPECT_EQ(StateWord::read(file)->holdup_tid, 0);
}

TEST(StateWord, SaysNothingWhenItsRecorderIsGone) {
  const test::TempDirectory directory;
  const auto file = directory.path() / "x.state";
  EXPECT_FALSE(StateWord::read(file));
  const pid_t recorder = ::fork();
  if (recorder == 0) {
    StateWord word(file, 42);
    word.enter(Freezing);
    ::_exit(0);  // as by kill -9: the file stays
  }
  ::waitpid(recorder, nullptr, 0);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(StateWord::read(file));
  { const StateWord word(file, 43); }
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace icecore::snapshot

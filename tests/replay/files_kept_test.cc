// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "tests/replay/recorded_victim.h"

namespace icecore::replay {
namespace {

using model::KeptFile;
using ::testing::HasSubstr;

class KeptFiles : public ::testing::Test {
 protected:
  const KeptFile* kept(const std::string& name) const {
    for (const auto& file : recorded_.model().kept_files()) {
      if (file.path().ends_with(name)) return &file;
    }
    return nullptr;
  }
  std::string begin_of(const std::string& name) const {
    std::array<std::byte, store::kPageSize> page{};
    recorded_.stored().reader().read_page(store::SpaceId{kept(name)->space()}, 0, page);
    return reinterpret_cast<const char*>(page.data());
  }
  std::string limitation(const std::string& name) const {
    for (const auto& each : recorded_.model().limitations()) {
      if (each.object().find(name) != std::string::npos) return each.reason();
    }
    return "";
  }

  icecore::test::TempDirectory directory_;
  test::RecordedVictim recorded_{"files_content", {directory_.path().string()}};
};

TEST_F(KeptFiles, AreThoseThatNobodyElseHas) {
  recorded_.snap();
  EXPECT_EQ(kept("written"), nullptr);
  EXPECT_EQ(kept("read"), nullptr);
  ASSERT_NE(kept("deleted"), nullptr);
  EXPECT_EQ(kept("deleted")->cause(), KeptFile::DELETED);
  EXPECT_EQ(kept("deleted")->path(), (directory_.path() / "deleted").string());
  EXPECT_EQ(begin_of("deleted"), "content of deleted");
  ASSERT_NE(kept("memory"), nullptr);
  EXPECT_EQ(kept("memory")->cause(), KeptFile::MEMFD);
  EXPECT_EQ(begin_of("memory"), "content of memory");
}

TEST_F(KeptFiles, KeepHolesAsHoles) {
  recorded_.snap();
  const store::SpaceId space{kept("deleted")->space()};
  const auto present = recorded_.stored().reader().present(space, {0, 1000});
  ASSERT_EQ(present.size(), 2U);
  EXPECT_EQ(present[0].count, 1U);
  EXPECT_EQ(present[1].first, (1U << 20U) / 4096);
}

TEST_F(KeptFiles, AreAlsoThoseThatTheTreeMayWriteWhenAsked) {
  recorded_.options().files.written = true;
  recorded_.snap();
  ASSERT_NE(kept("written"), nullptr);
  EXPECT_EQ(begin_of("written"), "content of written");
  EXPECT_EQ(kept("read"), nullptr);
}

TEST_F(KeptFiles, FollowTheFileFromSnapshotToSnapshot) {
  recorded_.options().files.written = true;
  recorded_.record(3, [this](int snapshot) {
    if (snapshot == 1) recorded_.victim().send("write CHANGED");
  });
  EXPECT_EQ(begin_of("written"), "CHANGED of written");
  EXPECT_EQ(begin_of("deleted"), "CHANGED of deleted");
  recorded_.look_at(1);
  EXPECT_EQ(begin_of("written"), "content of written");
  EXPECT_EQ(begin_of("deleted"), "content of deleted");
}

TEST_F(KeptFiles, CostNothingAgainWhenUnchanged) {
  recorded_.options().files.written = true;
  recorded_.record(2, [](int) {});
  const auto summaries = recorded_.store().snapshots("victim");
  ASSERT_EQ(summaries.size(), 2U);
  EXPECT_GT(summaries[0].stored_bytes, 2 * summaries[1].stored_bytes);
  EXPECT_EQ(begin_of("large"), "content of large");
}

TEST_F(KeptFiles, ThatAreLargerThanTheLimitAreNamed) {
  recorded_.options().files.written = true;
  recorded_.options().files.limit = 8192;
  recorded_.snap();
  EXPECT_EQ(kept("large"), nullptr);
  EXPECT_THAT(limitation("large"), HasSubstr("--files-limit"));
  EXPECT_NE(kept("written"), nullptr);
}

TEST_F(KeptFiles, ThatNobodyWritesAreReadAfterThePause) {
  recorded_.options().files = {true, 1U << 30U, std::chrono::nanoseconds(0)};
  recorded_.snap();
  EXPECT_EQ(begin_of("large"), "content of large");
}

TEST_F(KeptFiles, AreGivenUpWhenTheyAreWrittenBeforeTheyAreRead) {
  recorded_.snap();
  model::Snapshot frozen = recorded_.model();
  std::uint64_t last_space = 0;
  snapshot::KeptFiles files([&] { return store::SpaceId{++last_space}; },
                            {true, 1U << 30U, std::chrono::nanoseconds(0)});
  snapshot::PageBuffer buffer(std::make_shared<snapshot::BufferPool>());
  frozen.clear_kept_files();
  files.capture(frozen, buffer);
  const auto pending = files.take_pending();
  ASSERT_EQ(pending.size(), 1U);
  std::ofstream(directory_.path() / "large", std::ios::in) << "changed";
  EXPECT_EQ(pending[0].read(buffer), std::nullopt);

  frozen.clear_kept_files();
  const auto& identity = recorded_.file("large").identity();
  for (const auto& delta : files.capture(frozen, buffer)) {
    if (delta.runs.empty()) continue;
    if (static_cast<std::uint64_t>(delta.space) != static_cast<std::uint64_t>(pending[0].space()))
      continue;
    EXPECT_EQ(identity.size(), 4096U + (1U << 20U));
    EXPECT_EQ(std::memcmp(delta.runs[0].data, "changed", 7), 0) << "the next one reads it at once";
    return;
  }
  FAIL() << "it was not read in the pause";
}

TEST_F(KeptFiles, HaveAHandleToFindThemByAfterARename) {
  recorded_.snap();
  const auto& files = recorded_.model().open_files();
  const auto found = std::find_if(files.begin(), files.end(), [](const auto& file) {
    return file.target().ends_with("/read");
  });
  ASSERT_NE(found, files.end());
  EXPECT_FALSE(found->identity().handle().empty());
}

}  // namespace
}  // namespace icecore::replay

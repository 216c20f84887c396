// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_name.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "store/near_names.h"
#include "store/recording_writer.h"
#include "store/store.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

SnapshotName name(std::string recording, SnapshotMoment moment) {
  return {std::move(recording), std::move(moment)};
}

TEST(SnapshotName, ReadsEveryForm) {
  EXPECT_EQ(parse_snapshot_name("redis"), name("redis", LastSnapshot{}));
  EXPECT_EQ(parse_snapshot_name(""), name("", LastSnapshot{}));
  EXPECT_EQ(parse_snapshot_name("redis@3"), name("redis", NumberedSnapshot{3}));
  EXPECT_EQ(parse_snapshot_name("@3"), name("", NumberedSnapshot{3}));
  EXPECT_EQ(parse_snapshot_name("redis@last"), name("redis", LastSnapshot{}));
  EXPECT_EQ(parse_snapshot_name("redis@latest"), name("redis", LastSnapshot{}));
  EXPECT_EQ(parse_snapshot_name("redis@first"), name("redis", FirstSnapshot{}));
  EXPECT_EQ(parse_snapshot_name("redis@-2"), name("redis", LastSnapshot{2}));
  EXPECT_EQ(parse_snapshot_name("redis~2"), name("redis", LastSnapshot{2}));
  EXPECT_EQ(parse_snapshot_name("redis@-10s"), name("redis", SnapshotAgo{10}));
  EXPECT_EQ(parse_snapshot_name("redis@-5m"), name("redis", SnapshotAgo{300}));
  EXPECT_EQ(parse_snapshot_name("redis@-2h"), name("redis", SnapshotAgo{7200}));
  EXPECT_EQ(parse_snapshot_name("redis@14:03:20"), name("redis", SnapshotAtTime{50600}));
  EXPECT_EQ(parse_snapshot_name("redis@14:03"), name("redis", SnapshotAtTime{50580}));
  EXPECT_EQ(parse_snapshot_name("redis@before-upgrade"),
            name("redis", TaggedSnapshot{"before-upgrade"}));
  EXPECT_EQ(parse_snapshot_name("my-app-2.0@7"), name("my-app-2.0", NumberedSnapshot{7}));
}

TEST(SnapshotName, RefusesWhatIsNoneWithTheStatusOfWrongUsage) {
  for (const char* text :
       {"redis@", "redis@-", "redis@-x", "redis@-10y", "redis~", "redis~x", "redis@25:00:00",
        "redis@1:2:3:4", "redis@:", "redis@99999999999999999999"}) {
    try {
      (void)parse_snapshot_name(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_status(), ExitStatus::WrongUsage) << text;
    }
  }
}

TEST(SnapshotName, ReadsRangesWithTheRightRecordingLeftOut) {
  const auto range = [](const char* text) { return parse_snapshot_range(text).value(); };
  EXPECT_FALSE(parse_snapshot_range("redis@3"));
  const auto expected =
      std::pair(name("redis", NumberedSnapshot{3}), name("redis", NumberedSnapshot{7}));
  EXPECT_EQ(range("redis@3..redis@7"), expected);
  EXPECT_EQ(range("redis@3..@7"), expected);
  EXPECT_EQ(range("redis@3..7"), expected);
  EXPECT_EQ(range("redis@3..last").second, name("redis", LastSnapshot{}));
  EXPECT_EQ(range("@3..@5").second, name("", NumberedSnapshot{5}));
  EXPECT_THROW((void)range("redis@3.."), Error);
}

TEST(NearNames, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("redis", "redis"), 0U);
  EXPECT_EQ(edit_distance("reids", "redis"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

class NamedSnapshots : public ::testing::Test {
 protected:
  NamedSnapshots() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    now_ = ::time(nullptr);
    for (const char* recording : {"nginx", "redis"}) {
      RecordingWriter writer = store_.write(recording);
      for (int i = 1; i <= 6; ++i) {  // 60 s apart, the last one 30 s ago
        SnapshotSummary summary;
        summary.realtime_ns = (now_ - 30 - (6 - i) * 60) * 1'000'000'000LL;
        summary.tag = i == 2 ? "before-upgrade" : "";
        (void)writer.begin().commit(summary, {}, {});
      }
    }
    store_.remove(std::vector<SnapshotKey>{{"redis", 5}});
  }

  std::string resolved(const std::string& text) const { return store_.resolve(text).text(); }
  Error error_of(const std::string& text) const {
    try {
      (void)store_.resolve(text);
    } catch (const Error& error) {
      return error;
    }
    return Error("no error");
  }
  std::string time_text(std::int64_t second) const {
    char text[16];
    const time_t time = second;
    tm parts{};
    ::gmtime_r(&time, &parts);
    return {text, ::strftime(text, sizeof text, "%H:%M:%S", &parts)};
  }

  TemporaryDirectory directory_;
  Store store_ = Store::open_or_create(directory_.path());
  std::int64_t now_ = 0;
};

TEST_F(NamedSnapshots, AreFoundByEveryForm) {
  EXPECT_EQ(resolved(""), "redis@6");  // the newest recording
  EXPECT_EQ(resolved("@last"), "redis@6");
  EXPECT_EQ(resolved("nginx"), "nginx@6");
  EXPECT_EQ(resolved("nginx@5"), "nginx@5");
  EXPECT_EQ(resolved("redis@-1"), "redis@4");  // 5 has been removed
  EXPECT_EQ(resolved("redis~2"), "redis@3");
  EXPECT_EQ(resolved("redis@first"), "redis@1");
  EXPECT_EQ(resolved("redis@before-upgrade"), "redis@2");
  EXPECT_EQ(resolved("nginx@-60s"), "nginx@5");
  EXPECT_EQ(resolved("nginx@-3m"), "nginx@3");
  EXPECT_EQ(resolved("nginx@" + time_text(now_ - 90)), "nginx@5");
  EXPECT_EQ(resolved("nginx@" + time_text(now_ - 91)), "nginx@4");
}

TEST_F(NamedSnapshots, AreListedByRange) {
  std::string all;
  for (const auto& key : store_.resolve_range("redis@2..@last")) all += key.text() + " ";
  EXPECT_EQ(all, "redis@2 redis@3 redis@4 redis@6 ");
  EXPECT_EQ(store_.resolve_range("redis@-1").size(), 1U);
  EXPECT_THROW((void)store_.resolve_range("redis@1..nginx@2"), Error);
}

TEST_F(NamedSnapshots, AreNamedWhenNearToAnUnknownOne) {
  const Error recording = error_of("reids@3");
  EXPECT_NE(std::string(recording.what()).find("reids"), std::string::npos);
  EXPECT_EQ(recording.why(), "near is redis");
  EXPECT_EQ(recording.hint(), "icecore list");
  const Error number = error_of("redis@5");
  EXPECT_NE(number.why().find("near are 4 and 6"), std::string::npos) << number.why();
  const Error tag = error_of("redis@before-upgade");
  EXPECT_EQ(tag.why(), "near is before-upgrade");
  EXPECT_NE(std::string(error_of("redis@-99").what()).find("5 snapshots"), std::string::npos);
  EXPECT_NE(std::string(error_of("redis@-9d").what()).find("no snapshot at or before"),
            std::string::npos);
}

}  // namespace
}  // namespace icecore::store::test

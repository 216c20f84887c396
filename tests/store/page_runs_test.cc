// SPDX-License-Identifier: Apache-2.0
#include "store/page_runs.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "store/page_list.h"

namespace icecore::store::test {
namespace {

using Kind = PageVersion::Kind;
using Truth = std::map<std::uint64_t, PageVersion>;

VersionRuns random_runs(std::mt19937& random, std::uint32_t pages) {
  VersionRuns runs;
  for (std::uint64_t page = random() % 5; page < pages;) {
    const auto count = random() % 6 + 1;
    const auto kind = static_cast<Kind>(random() % 3);
    VersionRun run{page, count, kind, {}};
    if (kind == Kind::Stored) {
      run.ref = {static_cast<std::uint32_t>(random() % 4 + 1),
                 static_cast<std::uint32_t>(random() % 1000)};
    }
    append_run(runs, run);
    page += count + random() % 3;
  }
  return runs;
}

void lay_over(Truth& truth, const VersionRuns& runs) {
  for (const VersionRun& run : runs) {
    for (std::uint64_t page = run.first; page < run.end(); ++page)
      truth[page] = run.version_at(page);
  }
}

TEST(VersionRuns, OverlayAndClipAsPageByPageWould) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const VersionRuns older = random_runs(random, 100);
    const VersionRuns newer = random_runs(random, 100);
    Truth truth;
    lay_over(truth, older);
    lay_over(truth, newer);
    const VersionRuns both = overlay(newer, older);
    Truth result;
    lay_over(result, both);
    ASSERT_EQ(result, truth);
    for (std::size_t i = 1; i < both.size(); ++i) ASSERT_LE(both[i - 1].end(), both[i].first);
    const PageRange range{random() % 60, random() % 60};
    Truth clipped;
    lay_over(clipped, clip(both, range));
    std::erase_if(truth, [&](const auto& entry) {
      return entry.first < range.first || entry.first >= range.first + range.count;
    });
    ASSERT_EQ(clipped, truth);
  }
}

TEST(VersionRuns, AreReadBackAsWritten) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    VersionRuns runs = random_runs(random, 200);
    append_run(runs, {1ULL << 51U, 1ULL << 40U, Kind::Absent, {}});
    ByteWriter writer;
    encode_runs(writer, runs);
    ByteReader reader(writer.bytes());
    ASSERT_EQ(decode_runs(reader), runs);
    ASSERT_EQ(reader.remaining(), 0U);
  }
}

TEST(VersionRuns, ThatAreDamagedAreRefusedOrStillAscend) {
  std::mt19937 random(3);
  ByteWriter writer;
  encode_runs(writer, random_runs(random, 100));
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> bytes(writer.bytes().begin(), writer.bytes().end());
    for (auto flips = random() % 3 + 1; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1U << random() % 8);
    }
    bytes.resize(bytes.size() - random() % 4);
    try {
      ByteReader reader(bytes);
      const VersionRuns runs = decode_runs(reader);
      for (std::size_t i = 1; i < runs.size(); ++i) ASSERT_LE(runs[i - 1].end(), runs[i].first);
    } catch (const Error&) {
    }
  }
}

TEST(PageMap, FindsAPageInTheNewestListThatHasIt) {
  const auto list = [](VersionRuns runs) {
    auto made = std::make_shared<PageList>();
    made->runs = std::move(runs);
    return made;
  };
  const PageMap map({list({{10, 2, Kind::Zero, {}}}), list({{5, 20, Kind::Stored, {7, 100}}})});
  EXPECT_EQ(map.run_at(4).version_at(4).kind, Kind::Absent);
  EXPECT_EQ(map.run_at(4).count, 1U);
  EXPECT_EQ(map.run_at(6).count, 4U);  // up to where the newer list begins
  EXPECT_EQ(map.run_at(9).version_at(9).index, 104U);
  EXPECT_EQ(map.run_at(11).version_at(11).kind, Kind::Zero);
  EXPECT_EQ(map.run_at(12).version_at(12).index, 107U);
}

TEST(SequenceBelow, ReachesZeroInAFewSteps) {
  for (std::uint64_t n : {1ULL, 7ULL, 1000ULL, 86400ULL, (1ULL << 40U) - 1}) {
    int steps = 0;
    for (std::uint64_t at = n; at != 0; at = sequence_below(at)) ++steps;
    EXPECT_LE(steps, 40);
  }
  EXPECT_EQ(sequence_below(12), 8U);
}

}  // namespace
}  // namespace icecore::store::test

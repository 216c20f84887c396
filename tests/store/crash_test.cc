// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <random>

#include "base/unique_fd.h"
#include "store/recording_writer.h"
#include "store/snapshot_reader.h"
#include "store/store.h"
#include "tests/store/numbered_memory.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

/// Commits snapshots until it is killed; each reported number was committed before.
[[noreturn]] void write_until_killed(const std::filesystem::path& directory, int reports) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    Store store = Store::open(directory, Store::Access::ReadWrite);
    RecordingWriter writer = store.write("killed");
    const SpaceId space = writer.new_space();
    while (true) {
      SnapshotWriter snapshot = writer.begin();
      const auto bytes = numbered_memory(snapshot.number());
      const PageRun run{PageRun::Kind::Data, 0, kNumberedPages, bytes.data(), {}};
      snapshot.write_pages(space, std::span(&run, 1));
      SnapshotSummary summary;
      summary.dirty_bytes = static_cast<std::uint64_t>(space);
      const std::uint64_t number = snapshot.commit(summary, {}, {});
      if (::write(reports, &number, sizeof number) != sizeof number) ::_exit(1);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "the writer failed: %s\n", error.what());
  }
  ::_exit(2);
}

/// Kills a writer `after_us` after its first report, or earlier; returns the last number it
/// reported.
std::uint64_t kill_one(const std::filesystem::path& directory, std::uint32_t reports_to_see,
                       std::uint32_t after_us) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) write_until_killed(directory, writing.get());
  writing.reset();
  std::uint64_t last = 0;
  for (std::uint32_t seen = 0; seen < reports_to_see; ++seen) {
    if (::read(reading.get(), &last, sizeof last) != sizeof last) break;
  }
  // Some moment between two reports: spin, so that it is not always the same one.
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(after_us);
  while (std::chrono::steady_clock::now() < until) {
  }
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
  std::uint64_t number = 0;
  while (::read(reading.get(), &number, sizeof number) == sizeof number) last = number;
  return last;
}

void expect_whole(const Store& store, std::uint64_t number) {
  const SnapshotKey key{"killed", number};
  const SpaceId space{store.summary(key).dirty_bytes};
  const SnapshotReader reader = store.read(key);
  const auto wanted = numbered_memory(number);
  std::array<std::byte, kPageSize> bytes{};
  for (std::uint64_t page = 0; page < kNumberedPages; ++page) {
    ASSERT_EQ(reader.read_page(space, page, bytes), PageVersion::Kind::Stored);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(),
                           wanted.begin() + static_cast<std::ptrdiff_t>(page * kPageSize)))
        << key.text() << " page " << page;
  }
}

class KilledWriter : public ::testing::TestWithParam<std::uint32_t> {};

// Four times 55 kills; every reported commit is read back, every byte of the store verified.
TEST_P(KilledWriter, HasEverySnapshotWholeThatItReported) {
  const TemporaryDirectory directory;
  (void)Store::open_or_create(directory.path());
  std::mt19937 random(GetParam());
  std::uint64_t committed = 0;
  for (int kills = 1; kills <= 55; ++kills) {
    const std::uint32_t reports = static_cast<std::uint32_t>(random() % 3);
    const std::uint64_t last =
        kill_one(directory.path(), reports, static_cast<std::uint32_t>(random() % 12'000));
    committed = std::max(committed, last);
    if (kills % 11 != 0) continue;
    Store store = Store::open(directory.path(), Store::Access::ReadWrite);
    const VerifyReport report = store.verify({});
    ASSERT_TRUE(report.damages.empty())
        << report.damages.front().file << ": " << report.damages.front().what;
    const auto snapshots = store.snapshots("killed");
    std::uint64_t expected = 1;  // without a gap: numbers of dropped snapshots come again
    for (const auto& snapshot : snapshots) ASSERT_EQ(snapshot.key.number, expected++);
    ASSERT_GE(snapshots.size(), committed);
    for (const auto& snapshot : snapshots) expect_whole(store, snapshot.key.number);
    if (HasFatalFailure()) return;
    if (kills == 22) store.collect_garbage();
  }
  EXPECT_GT(committed, 20U);
}

INSTANTIATE_TEST_SUITE_P(AtRandomInstants, KilledWriter, ::testing::Values(1U, 2U, 3U, 4U));

}  // namespace
}  // namespace icecore::store::test
